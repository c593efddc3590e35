"""What is written from the code: the contract, tables and drawings of the docs, the table of currencies.

Each module answers its own `pages()`; `written` has all of them.
"""

import pathlib

# Files, each with its whole text.
Pages = dict[pathlib.Path, str]
