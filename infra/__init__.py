"""How Billfold is built, deployed and run locally; and the phones and terminals that try it."""
