"""When and with what the comparison was made, and how to make it again."""

from etude.pipelines.comparison.results.results import ConfigurationResult
from etude.pipelines.report.content import Content
from etude.pipelines.report.parts import Section, code, details, join, table, terms


def reproduction_section(content: Content) -> Section:
    """The command, its circumstances, and every configuration in full."""
    results, made = content.results, content.provenance
    weights = f"The {results.checkpoint} checkpoint of each run"
    token = content.shared(lambda words: words.token, "token")
    things = content.shared(lambda words: words.sequences, "pieces")
    if results.checkpoint == "best":
        weights += f", that is the one with the lowest {token} loss on the eval split"
    if results.checkpoint == "best" and results.dataset.split == "eval":
        weights += (
            f", which makes every figure here a little better than on {things} that played no part in that choice"
        )
    circumstances = [
        ("Date", made.date),
        ("Etude", f"{results.version}, commit {made.commit}" if made.commit else results.version),
        ("Compared on", f"{made.processor}, {made.num_cores} cores, Python {made.python}"),
        *([("Trained with", made.trained_with)] if made.trained_with else []),
        ("Weights", f"{weights}."),
        ("As data", "results.json and results.csv, beside this page, hold the same figures."),
    ]
    parts = join(
        code(content.presentation.command, "Command"),
        terms(circumstances),
        details("Hyperparameters", table("Hyperparameters", *_hyperparameters(content))),
    )
    return Section("again", "The same again", parts)


def _hyperparameters(content: Content) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: every hyperparameter of every configuration."""
    configurations = content.results.configurations
    names = list(dict.fromkeys(name for configuration in configurations for name in configuration.hyperparameters))
    rows = [
        [name, *(str(configuration.hyperparameters.get(name, "")) for configuration in configurations)]
        for name in names
    ]
    rows.append(["training steps", *map(_length, configurations)])
    return ["Hyperparameter", *(configuration.title for configuration in configurations)], rows


def _length(one: ConfigurationResult) -> str:
    if one.num_training_steps:
        return f"{one.num_training_steps:,}"
    return "differ by run" if len(one.runs) > 1 else "unknown"
