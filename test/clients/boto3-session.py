"""What a script of an operator does through boto3: paginators, modelled errors, timestamps, blobs, signed HTTPS."""

import datetime
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

url, ca, key, secret = sys.argv[1:]
account = {
    "endpoint_url": url,
    "region_name": "us-east-1",
    "aws_access_key_id": key,
    "aws_secret_access_key": secret,
    "config": Config(retries={"total_max_attempts": 1}),
    **({"verify": ca} if ca else {}),
}
iot = boto3.client("iot", **account)
data = boto3.client("iot-data", **account)
jobs = boto3.client("iot-jobs-data", **account)
seen = {}

for index in range(7):
    iot.create_thing(thingName=f"boto-{index}", attributePayload={"attributes": {"index": str(index)}})
pages = list(iot.get_paginator("list_things").paginate(PaginationConfig={"PageSize": 3}))
seen["pages"] = [len(page["things"]) for page in pages]
seen["things"] = iot.get_paginator("list_things").paginate().build_full_result()["things"]
seen["filtered"] = list(iot.get_paginator("list_things").paginate().search("things[?attributes.index=='3'].thingName"))

errors = []
for attempt, expected in (
    (lambda: iot.describe_thing(thingName="nobody"), iot.exceptions.ResourceNotFoundException),
    (lambda: iot.create_thing(thingName="boto-1"), iot.exceptions.ResourceAlreadyExistsException),
    (lambda: iot.update_thing(thingName="boto-1", expectedVersion=9), iot.exceptions.VersionConflictException),
    (lambda: iot.create_thing(thingName="a b"), iot.exceptions.InvalidRequestException),
    (lambda: data.get_thing_shadow(thingName="boto-1"), data.exceptions.ResourceNotFoundException),
    (lambda: jobs.describe_job_execution(thingName="boto-1", jobId="no"), jobs.exceptions.ResourceNotFoundException),
):
    try:
        attempt()
    except expected as error:
        answer = error.response
        errors.append([answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]])
seen["errors"] = errors
try:
    iot.list_security_profiles()
except ClientError as error:
    seen["unsupported"] = [error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]]

made = iot.create_keys_and_certificate(setAsActive=True)
described = iot.describe_certificate(certificateId=made["certificateId"])["certificateDescription"]
assert isinstance(described["creationDate"], datetime.datetime)
seen["age"] = (datetime.datetime.now(datetime.timezone.utc) - described["creationDate"]).total_seconds()

data.publish(topic="boto/kept", qos=1, retain=True, payload=bytes(range(256)))
seen["kept"] = list(data.get_retained_message(topic="boto/kept")["payload"]) == list(range(256))
data.update_thing_shadow(thingName="boto-1", payload=json.dumps({"state": {"desired": {"on": True}}}))
seen["shadow"] = json.loads(data.get_thing_shadow(thingName="boto-1")["payload"].read())["state"]

arn = iot.describe_thing(thingName="boto-1")["thingArn"]
iot.create_job(jobId="boto-job", targets=[arn], document=json.dumps({"do": "it"}))
started = jobs.start_next_pending_job_execution(thingName="boto-1")["execution"]
jobs.update_job_execution(thingName="boto-1", jobId="boto-job", status="SUCCEEDED", expectedVersion=started["versionNumber"])
seen["job"] = iot.describe_job(jobId="boto-job")["job"]["status"]
print(json.dumps(seen))
