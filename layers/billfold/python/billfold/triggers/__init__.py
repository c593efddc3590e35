"""How events come in and answers go out: one module a kind of trigger."""
