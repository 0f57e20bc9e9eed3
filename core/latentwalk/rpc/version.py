"""Which latentwalk this is."""

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """As it was installed, such as "0.1.0"; "from source" where it was not."""
    try:
        return version("latentwalk")
    except PackageNotFoundError:
        return "from source"
