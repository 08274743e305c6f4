"""Bringing a catalogue up to date: what a person wrote stays, line by line."""

from __future__ import annotations

from lab.messages import FOLDER, untranslated, updated, used_texts

FRENCH = """# By hand.
msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

# Said at a door.
msgid ""
"Open "
"it"
msgstr "Ouvrir"

msgid "Gone"
msgstr "Parti"

#, python-format
msgid "%(n)s place."
msgid_plural "%(n)s places."
msgstr[0] "%(n)s lieu."
msgstr[1] "%(n)s lieux."
"""


def test_a_catalogue_that_is_up_to_date_stays_as_it_is() -> None:
    assert updated(FRENCH, ["Open it", "Gone", ("%(n)s place.", "%(n)s places.")], "fr") == FRENCH
    french = (FOLDER / "fr.po").read_text("utf-8")
    assert updated(french, used_texts(), "fr") == french


def test_a_text_that_nobody_uses_any_more_goes() -> None:
    left = updated(FRENCH, ["Open it", "%(n)s place."], "fr")
    assert left == FRENCH.replace('msgid "Gone"\nmsgstr "Parti"\n\n', "")


def test_a_new_text_waits_for_its_translation() -> None:
    new = updated(
        FRENCH, ["Open it", "Gone", "%(n)s place.", 'At "%(time)s"', ("%(n)s hour", "%(n)s hours")], "fr"
    )
    assert new.startswith(FRENCH)
    assert new.removeprefix(FRENCH) == (
        '\n#, python-format\nmsgid "At \\"%(time)s\\""\nmsgstr ""\n'
        '\n#, python-format\nmsgid "%(n)s hour"\nmsgid_plural "%(n)s hours"\nmsgstr[0] ""\nmsgstr[1] ""\n'
    )
    assert untranslated(new, "fr") == ['At "%(time)s"', "%(n)s hour"]
    assert untranslated(FRENCH, "fr") == []
