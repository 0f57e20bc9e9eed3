"""The demo's pictures: a strip for each direction, all of them on one sheet, and one file that moves."""

from pathlib import Path

from latentwalk.cli.demo.tour import TOUR, Span
from latentwalk.client import Client, Leg, Stretch, contact_sheet

SEEDS = (2, 24, 57)
# Odd, so that the untouched picture is in the middle.
COLUMNS = 9
HALF_SWING = 8
SHEET = "sheet.png"
MOVING = "tour.gif"


def strip_name(direction: str) -> str:
    """The file of a direction's strip."""
    return f"{direction}.png"


def draw_sheets(client: Client, model: str, out: Path) -> None:
    """Writes a strip for each direction, a row for each seed, a sheet of all, and a GIF that walks them one by one."""
    walks = {
        name: client.walk(model, name, amount=(span.low, span.high), seeds=SEEDS, frames=COLUMNS).collect()
        for name, span in TOUR.items()
    }
    for name, frames in walks.items():
        frames.save(out / strip_name(name))
    contact_sheet(list(walks.items())).save(out / SHEET)
    legs = [leg for name, span in TOUR.items() for leg in swing(name, span)]
    client.walk_legs(model, legs, seeds=SEEDS).save(out / MOVING, fps=15)


def swing(direction: str, span: Span) -> list[Leg]:
    """From the untouched picture to one end, through the middle to the other, and back."""
    return [
        Leg(Stretch(direction, amount=(span.neutral, span.high)), frames=HALF_SWING, easing="in_out"),
        Leg(Stretch(direction, amount=(span.high, span.low)), frames=2 * HALF_SWING, easing="in_out"),
        Leg(Stretch(direction, amount=(span.low, span.neutral)), frames=HALF_SWING, easing="in_out"),
    ]
