"""Folders for as long as a job runs."""

import tempfile

from etude.models.errors import EtudeError


def temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """A new folder on this machine; as a context it is removed at the end.

    Raises:
      EtudeError: if there is no place for one.
    """
    try:
        return tempfile.TemporaryDirectory(prefix="etude-", ignore_cleanup_errors=True)
    except OSError as error:
        raise EtudeError(
            f"there is no room for temporary files: {error.strerror}; set TMPDIR to a folder that can be written"
        ) from error
