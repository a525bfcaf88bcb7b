from hypothesis import settings

# The same examples every time, and no time limit on one: other work may share the machine.
settings.register_profile("etude", derandomize=True, deadline=None, database=None)
settings.load_profile("etude")
