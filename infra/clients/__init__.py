"""The API as those outside use it: a signed-in user, a phone, a till."""
