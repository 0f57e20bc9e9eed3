"""Whether several processes can train a job together, and how many."""

from collections.abc import Iterable


class Unshareable(Exception):
    """The processes cannot share the job: because of its device, or of batches that do not fall into equal parts."""


def most_processes(batch_size: int, limit: int, group: int = 1) -> int:
    """The most processes, up to a limit, that can share the rows of a batch equally, and no group of rows."""
    return max(number for number in range(1, limit + 1) if number == 1 or batch_size % (number * group) == 0)


def check_shares(method: str, batch_size: int, processes: int, group: int = 1) -> None:
    """Raises Unshareable."""
    if processes > 1 and batch_size % (processes * group):
        grouped = f" in groups of {group}" if group > 1 else ""
        raise Unshareable(
            f"a job of method {method} has {batch_size} rows a step{grouped}, which {processes} processes cannot share "
            f"equally: start {most_processes(batch_size, processes, group)}"
        )


def check_devices(devices: Iterable[str], processes: int) -> None:
    """Raises Unshareable for several processes that would share a job anywhere but on the CPU."""
    others = [device for device in devices if device != "cpu"]
    if processes > 1 and others:
        raise Unshareable(
            f"{processes} processes cannot share a job on {', '.join(others)}, only on the CPU: let one do it "
            "(processes_per_job), or let jobs compute on the CPU (devices)"
        )
