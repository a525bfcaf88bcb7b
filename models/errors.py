"""The errors that a user can mend."""


class EtudeError(Exception):
    """Something that the user can mend; the message says what is wrong, where, and the remedy.

    The command line prints the message without a traceback and exits with 1.
    """


class UsageError(EtudeError):
    """The command was called wrongly: an unknown option, name or type. The command line exits with 2."""
