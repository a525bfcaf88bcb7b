"""Shows what the units of a network do on pieces, and which units follow what in the music, on one page.

examples:
  etude inspect runs/lookback --output units.html
  etude inspect runs/characters tunes.abc --output units.html --json units.json
  etude inspect runs/lookback corpus:airdsAirs --output units.html --unit "0/forget gate/17"

Without PIECES, some of the eval split of the dataset that the model was trained on are taken. The page shows the first
pieces, each as its text or, for melodies, as its piano roll, coloured by a unit that you pick. hidden is the output of the
cells, cell what an LSTM remembers, attended the output of a layer with attention, and gates are open at 1 and shut at 0. What
has no bounds (cell, attended) is shown by its hyperbolic tangent, so that one scale from -1 to 1 holds for all. Each symbol
tells the five that the model holds likeliest to come next.

The table names, for each thing that the music has, the units whose values correlate with it most, over all pieces, as
LAYER/KIND/UNIT, each from 0. "by chance" is what the best unit of the whole network reaches with the music turned against
itself (every piece's bar lines, pitches and so on moved by a random distance, the same for all, what leaves at its end coming
back at its start) in 95 of 100 turns. A unit below that follows nothing. Ten pieces or more tell most.
"""

import argparse
import json
from typing import TYPE_CHECKING

from etude.commands.common import MODEL_HELP, add_model_options, load_model, whole
from etude.console import Console

if TYPE_CHECKING:
    from etude.pipelines.evaluation.inspect import Inspection

INTERRUPTED = "run the same command again"
BEST_UNITS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options."""
    parser.add_argument("model", metavar="MODEL", help=MODEL_HELP)
    parser.add_argument("pieces", nargs="*", metavar="PIECES", help="files, folders, archives or corpus:NAME")
    parser.add_argument(
        "--output", required=True, metavar="PAGE",
        help="the page, a file that ends in .html; or a folder, for activations.html and the values, activations.npz",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="write all units of the table to FILE (- for standard output)")
    parser.add_argument("--unit", default="", metavar="LAYER/KIND/UNIT", help="which unit the page opens with")
    group = parser.add_argument_group("which pieces, where none are named")
    group.add_argument("--dataset", default="", metavar="DATASET", help="another folder that 'etude dataset' wrote")
    group.add_argument("--split", default="eval", help="which split (default eval)")
    group.add_argument(
        "--num-pieces", type=whole(1, 1_000_000), default=50, metavar="N", help="how many (default 50), drawn at random"
    )
    parser.add_argument(
        "--shuffles", type=whole(19, 10_000), default=100, metavar="N", help="how often chance is tried (default 100)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draw and of chance (default 0)")
    add_model_options(parser)


def run(options: argparse.Namespace, console: Console) -> None:
    """Inspects."""
    import pathlib

    from etude.models.storage.files import write_text
    from etude.pipelines.evaluation.inspect import (
        FEW_PIECES,
        find_unit,
        given_pieces,
        held_out_pieces,
        inspect,
        network_of,
        write_values,
    )
    from etude.pipelines.report.activations_page import activations_page

    model = load_model(options.model, options)
    network_of(model)
    if options.pieces:
        with console.progress("reading") as progress:
            sequences = given_pieces(model, options.pieces, console.say, progress)
    else:
        sequences = held_out_pieces(model, options.dataset, options.split, options.num_pieces, options.seed)
    with console.progress("looking inside") as progress:
        inspection = inspect(model, sequences, options.shuffles, options.seed, progress=progress)
    page = activations_page(inspection, *find_unit(inspection, options.unit))
    output = pathlib.Path(options.output)
    if output.suffix == ".html":
        write_text(output, page)
    else:
        write_values(output / "activations.npz", inspection)
        write_text(output / "activations.html", page)
        output /= "activations.html"
    figures = json.dumps(inspection.figures(), indent=2, ensure_ascii=False)
    if options.json not in (None, "-"):
        write_text(options.json, figures + "\n")
    console.result(figures if options.json == "-" else table(inspection))
    if inspection.following and inspection.num_pieces < FEW_PIECES:
        console.say(f"of {inspection.num_pieces} pieces, chance does well: name {FEW_PIECES} or more to tell more")
    console.say(f"wrote {output}")


def table(inspection: "Inspection") -> str:
    """The best units of every feature, a row each."""
    from etude.pipelines.evaluation.inspect import unit_name

    unit = inspection.model.domain.unit
    rows = [f"{'':26} {'by chance':>9}  best units"]
    for one in inspection.following:
        best = (f"{unit_name(found.part, found.unit)} {found.correlation:+.2f}" for found in one.followers[:BEST_UNITS])
        rows.append(f"{one.feature:26} {one.chance:9.2f}  {', '.join(best)}")
    if not inspection.following:
        rows = [f"the {inspection.model.domain.plural} of this model have nothing that units could be held against"]
    rows.append(f"over {inspection.num_pieces:,} {inspection.model.domain.plural}, {inspection.num_tokens:,} {unit}s")
    return "\n".join(rows)
