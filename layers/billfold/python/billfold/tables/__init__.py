"""DynamoDB rows and the transactions that commit. The only package that talks to DynamoDB."""
