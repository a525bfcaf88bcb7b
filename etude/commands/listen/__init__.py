"""A blind listening test: can people tell what a model made from real tunes?

examples:
  etude listen create melodies/lookback corpus:ryansMammoth --output test
  etude listen analyse test/key.json answers/
"""

COMMANDS = {
    "create": "one page to listen with, and its key",
    "analyse": "what the answers say",
}
