"""What stands for AWS, banks and their network in tests."""
