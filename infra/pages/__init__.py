"""What is written from the code: the contract, tables and drawings of the docs, the table of currencies."""
