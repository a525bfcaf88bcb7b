"""Pickups by the commands: kept unless one asks for what is written."""

import json

TUNES = "".join(f"X:{number}\nM:3/4\nL:1/4\nK:G\n|:D|GAB|dBG|cAF|GBd|edc|BAG|FED|G2:|\n\n" for number in range(1, 4))


def test_pickups_are_kept_and_counted(etude):
    (etude.folder / "tunes.abc").write_text(TUNES)
    said = etude("convert", "tunes.abc", "--output", "notes").stderr
    assert "bars: pickup 3" in said
    assert json.loads((etude.folder / "notes" / "summary.json").read_text())["bars"] == {"pickup": 3}
    etude("convert", "tunes.abc", "--output", "notes", "--pickups", "as-written", status=1)
    said = etude("convert", "tunes.abc", "--output", "written", "--pickups", "as-written").stderr
    assert "bars:" not in said
    assert "choose from" in etude("convert", "tunes.abc", "--output", "x", "--pickups", "sung", status=2).stderr
