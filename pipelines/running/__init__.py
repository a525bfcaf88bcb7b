"""Running a Beam pipeline here or elsewhere: runners, worker processes, progress."""
