"""Every sentence a person reads, in one place: the status comment, calls to people, answers to commands, check runs.

The longer texts are Jinja templates in ``templates``; whatever comes from outside passes the filters of ``bot.words.markdown`` first.
"""
