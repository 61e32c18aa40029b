"""aws-sdk:* and optimised integrations, forwarded to boto3: names, documents, answers and errors as AWS has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.stub import ANY, Stubber

from engine.support import machine, passing, task
from stepwell import Executor
from stepwell.integrations import forward_to_aws
from stepwell.tasks.integrations.aws_services import CLIENTS, ERROR_PREFIXES
from stepwell.tasks.integrations.java_names import error_prefix, exception_name

pytestmark = pytest.mark.covers("A15.68", "A15.69", "A6")


ASKED: dict[str, Any] = {
    "dynamodb": {"TableName": "t", "Item": {"id": {"S": "1"}}},
    "sns": {"TopicArn": "t", "Message": "m"},
    "sqs": {"QueueUrl": "q", "MessageBody": ""},
}


class Services:
    """Stubbed clients; ``expect`` says what the next call gets."""

    def __init__(self) -> None:
        self.stubs: dict[str, Stubber] = {}

    def client(self, service: str) -> Any:
        client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
        self.stubs[service] = Stubber(client)
        self.stubs[service].activate()
        return client

    def stub(self, service: str) -> Stubber:
        if service not in self.stubs:
            self.made = self.client(service)
        return self.stubs[service]


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def executor(services: Services) -> Iterator[Executor]:
    made: dict[str, Any] = {}

    def factory(service: str) -> Any:
        services.stub(service)
        return made.setdefault(service, services.stubs[service].client)

    with Executor() as ex:
        forward_to_aws(ex, factory)
        yield ex


def run(ex: Executor, resource: str, **parameters: Any) -> Any:
    return ex.run(machine({"A": task(None, f"arn:aws:states:::{resource}", Parameters=parameters)}))


def test_an_sdk_call_has_no_metadata_and_times_as_text(executor: Executor, services: Services) -> None:
    services.stub("secretsmanager").add_response(
        "describe_secret",
        {"Name": "n", "CreatedDate": datetime(2026, 1, 2, tzinfo=UTC), "ResponseMetadata": {"RequestId": "r"}},
        {"SecretId": "s"},
    )
    context = run(executor, "aws-sdk:secretsmanager:describeSecret", SecretId="s")
    assert json.loads(context.output) == {"Name": "n", "CreatedDate": "2026-01-02T00:00:00Z"}


def test_parameters_get_the_names_of_the_api(executor: Executor, services: Services) -> None:
    services.stub("ecs").add_response("list_tasks", {"taskArns": ["t"]}, {"cluster": "c", "maxResults": 3})
    context = run(executor, "aws-sdk:ecs:listTasks", Cluster="c", MaxResults=3)
    assert json.loads(context.output) == {"TaskArns": ["t"]}


def test_a_document_is_serialised_where_the_api_takes_text(executor: Executor, services: Services) -> None:
    services.stub("sqs").add_response(
        "send_message",
        {"MessageId": "m", "ResponseMetadata": {"HTTPHeaders": {"date": "d"}, "HTTPStatusCode": 200, "RequestId": "r"}},
        {"QueueUrl": "q", "MessageBody": '{"a":1}'},
    )
    output = json.loads(run(executor, "sqs:sendMessage", QueueUrl="q", MessageBody={"a": 1}).output)
    assert output["MessageId"] == "m"
    assert output["SdkHttpMetadata"]["HttpStatusCode"] == 200
    assert output["SdkResponseMetadata"] == {"RequestId": "r"}


@pytest.mark.parametrize(
    ("resource", "service", "method", "code", "error", "cause"),
    [
        (
            "aws-sdk:dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ResourceNotFoundException",
            "DynamoDb.ResourceNotFoundException",
            "no (Service: DynamoDb, Status Code: 400, Request ID: )",
        ),
        (
            "aws-sdk:dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ValidationException",
            "DynamoDb.DynamoDbException",
            "no (Service: DynamoDb, Status Code: 400, Request ID: )",
        ),
        (
            "dynamodb:putItem",
            "dynamodb",
            "put_item",
            "ValidationException",
            "DynamoDB.AmazonDynamoDBException",
            "no (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; "
            "Request ID: ; Proxy: null)",
        ),
        (
            "sns:publish",
            "sns",
            "publish",
            "NotFound",
            "SNS.NotFoundException",
            "no (Service: AmazonSNS; Status Code: 400; Error Code: NotFound; Request ID: ; Proxy: null)",
        ),
        (
            "sqs:sendMessage",
            "sqs",
            "send_message",
            "MissingParameter",
            "SQS.AmazonSQSException",
            "no (Service: AmazonSQS; Status Code: 400; Error Code: MissingParameter; Request ID: ; Proxy: null)",
        ),
    ],
)
def test_errors_have_the_names_that_aws_recorded(
    executor: Executor, services: Services, resource: str, service: str, method: str, code: str, error: str, cause: str
) -> None:
    services.stub(service).add_client_error(method, code, "no", 400, expected_params=None)
    context = run(executor, resource, **ASKED[service])
    assert (context.error, context.cause) == (error, cause)


# AWS's guide, "Supported AWS SDK service integrations": the exception prefixes, of which a Resource has the lower case.
DOCUMENTED = """
Account Amplify AppMesh AppConfig AppConfigData AppSync ApplicationDiscovery AuditManager AutoScalingPlans Backup
BackupGateway Batch Budgets Acm AcmPca ServiceDiscovery Cloud9 CloudFormation CloudHsm CloudHsmV2 CloudTrail
CloudControl CodeBuild CodeCommit CodeDeploy CodePipeline CodeStar CodestarNotifications CodeStarConnections
ComputeOptimizer Config CostExplorer CostAndUsageReport DataExchange DataPipeline DataSync DatabaseMigration
DeviceFarm DirectConnect Directory Ec2InstanceConnect ElasticBeanstalk MediaLive MediaPackage MediaPackageVod
MediaStore Fis Fms Glue DataBrew Greengrass GroundStation Iam Iot Iot1ClickProjects IoTAnalytics IotDeviceAdvisor
IotEvents IotEventsData IoTFleetHub GreengrassV2 IotJobsDataPlane IoTSecureTunneling IoTSiteWise IoTThingsGraph
IotWireless Kms LakeFormation Lambda LicenseManager MarketplaceCatalog MarketplaceCommerceAnalytics
MarketplaceEntitlement MediaTailor MigrationHub MigrationHubConfig MigrationHubStrategy NetworkFirewall OpsWorks
OpsWorksCm Organizations Outposts Panorama Pi Pricing RdsData Resiliencehub Ram ResourceGroups
ResourceGroupsTaggingApi RoboMaker Identitystore SsoOidc SecretsManager Sts SecurityHub Sms ServiceCatalog
ServiceCatalogAppRegistry Shield Signer Sso SsoAdmin Sfn StorageGateway Support Transfer Waf WafRegional Wafv2
WellArchitected XRay MarketplaceMetering ServerlessApplicationRepository AccessAnalyzer AlexaForBusiness ApiGateway
ApiGatewayV2 AppIntegrations AppStream Appflow Athena SageMakerA2IRuntime Braket Chime ChimeSdkMeetings
CloudDirectory CloudFront CloudSearch CloudWatch ApplicationInsights Evidently CloudWatchLogs Rum Synthetics
CodeGuruProfiler CodeGuruReviewer CognitoIdentity CognitoIdentityProvider CognitoSync Comprehend ComprehendMedical
ConnectContactLens ConnectParticipant Connect VoiceId Wisdom Dlm Detective DevOpsGuru DocDb DynamoDb DynamoDbStreams
Ecr Ecs Ssm EmrContainers ElastiCache ElasticInference Ebs Ec2 EcrPublic Efs Eks Emr ElasticTranscoder Elasticsearch
OpenSearch EventBridge FSx Forecastquery Forecast FraudDetector GameLift Glacier GuardDuty HealthLake Honeycode
Inspector Inspector2 Ivs Kendra Kinesis KinesisAnalytics KinesisAnalyticsV2 Firehose KinesisVideoSignaling
KinesisVideo KinesisVideoArchivedMedia KinesisVideoMedia LexModelBuilding LexModelsV2 LexRuntime LexRuntimeV2
Lightsail Location LookoutVision Mq Macie2 ManagedBlockchain Grafana Amp Kafka KafkaConnect Mwaa MTurk MemoryDB
Neptune Personalize PersonalizeEvents PersonalizeRuntime Pinpoint PinpointEmail PinpointSmsVoice Polly Qldb
QldbSession QuickSight Redshift RedshiftData Rekognition Rds Route53 Route53Domains Route53Resolver S3Outposts
SageMakerFeatureStoreRuntime SageMakerRuntime SageMaker SagemakerEdge Ses SesV2 Sns Sqs S3 Swf Textract Transcribe
Translate WorkDocs WorkMail WorkMailMessageFlow WorkSpaces WorkSpacesWeb AmplifyBackend AmplifyUiBuilder
ApplicationAutoScaling AutoScaling Codeartifact Dax Imagebuilder Drs ElasticLoadBalancing ElasticLoadBalancingV2
MediaConnect S3Control Rbin Savingsplans Schemas ServiceQuotas Snowball
"""


@pytest.mark.parametrize("prefix", DOCUMENTED.split())
def test_every_documented_service_has_a_client_and_its_error_prefix(prefix: str) -> None:
    assert ERROR_PREFIXES[CLIENTS[prefix.lower()]] == prefix


def test_the_table_is_what_botocore_s_models_give() -> None:
    session = botocore.session.get_session()
    services = [name for name in session.get_available_services() if name in ERROR_PREFIXES]
    assert len(services) > 300
    for name in services:
        assert ERROR_PREFIXES[name] == error_prefix(session.get_service_model(name).service_id)
        assert CLIENTS[ERROR_PREFIXES[name].lower()] == name


@pytest.mark.parametrize(
    ("shape", "exception"),
    [
        ("NoSuchBucket", "NoSuchBucketException"),
        ("ResourceNotFoundException", "ResourceNotFoundException"),
        ("DBInstanceNotFoundFault", "DbInstanceNotFoundException"),
        ("KMSInvalidStateException", "KmsInvalidStateException"),
        ("AWSOrganizationsNotInUseException", "AwsOrganizationsNotInUseException"),
    ],
)
def test_exceptions_are_named_as_the_sdk_for_java_names_them(shape: str, exception: str) -> None:
    assert exception_name(shape) == exception


def test_put_events_adds_two_arns_and_fails_for_a_failed_entry(executor: Executor, services: Services) -> None:
    sent: list[Any] = []

    def keep(params: Any, **_: Any) -> None:
        sent.append(params["Entries"])

    services.stub("events").add_response("put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, None)
    failed = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InvalidArgument", "ErrorMessage": "no bus"}]}
    services.stub("events").add_response("put_events", failed, None)
    services.stub("events").client.meta.events.register_first("before-parameter-build.eventbridge.PutEvents", keep)
    entry = {"Detail": {"a": 1}, "DetailType": "t", "Source": "s"}
    entries = [entry, {**entry, "Resources": ["mine"]}]
    context = executor.run(
        machine(
            {
                "P": passing("A"),
                "A": task(None, "arn:aws:states:::events:putEvents", Parameters={"Entries": entries}),
            }
        )
    )
    assert json.loads(context.output)["FailedEntryCount"] == 0
    arns = sent[0][0]["Resources"]
    assert [arn.split(":")[5] for arn in arns] == ["execution", "stateMachine"]
    assert sent[0][1]["Resources"] == ["mine", *arns]
    refused = run(executor, "events:putEvents", Entries=[entry])
    assert (refused.error, json.loads(refused.cause)) == ("EventBridge.FailedEntry", failed)


def test_an_operation_that_is_not_there(executor: Executor) -> None:
    assert run(executor, "aws-sdk:sqs:fly").error == "States.Runtime"


def test_a_token_goes_out_with_the_call_and_ends_the_task(executor: Executor, services: Services) -> None:
    stub = services.stub("sqs")
    stub.add_response("send_message", {"MessageId": "m"}, {"QueueUrl": "q", "MessageBody": ANY})
    sent: list[str] = []
    stub.client.meta.events.register(
        "before-parameter-build.sqs.SendMessage", lambda params, **_: sent.append(params["MessageBody"])
    )
    parameters = {"QueueUrl": "q", "MessageBody": {"token.$": "$$.Task.Token"}}
    executor.deploy(
        "w", machine({"A": task(None, "arn:aws:states:::sqs:sendMessage.waitForTaskToken", Parameters=parameters)})
    )
    execution = executor.start("w")
    while not any(event["type"] == "TaskSubmitted" for event in execution.history()):
        pass
    executor.send_task_success(json.loads(sent[0])["token"], "done")
    assert execution.wait(60).output == "done"
