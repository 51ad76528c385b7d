"""What every function that writes to DynamoDB has to do at least when it starts."""

import boto3

CLIENT = boto3.client("dynamodb")


def lambda_handler(event: object, context: object) -> dict[str, int]:
    """Answer."""
    return {"statusCode": 200}
