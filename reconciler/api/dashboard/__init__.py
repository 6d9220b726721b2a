"""The dashboard: pages for people, made on the server from the same views that the read surface serves as JSON.

``screens`` choose what a page says, ``words`` how a state is told (a word, a tone, a shape), ``rendering`` makes bytes
of it, ``routes`` answer. A page works without scripts; with them it is fetched again whenever there is something new.
Nothing can be changed here, and templates decide nothing.
"""
