import java.nio.charset.StandardCharsets;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sfn.model.DescribeExecutionResponse;
import software.amazon.awssdk.services.sfn.model.ExecutionStatus;
import software.amazon.awssdk.services.sfn.model.StateMachineType;

/** An approval through AWS's SDK for Java: start, poll, heartbeat, token, history. What it saw, as JSON. */
public final class Client {
    private static final String ROLE = "arn:aws:iam::000000000000:role/none";
    private static final String PASS = "{\"StartAt\": \"P\", \"States\": {\"P\": {\"Type\": \"Pass\", \"End\": true}}}";

    public static void main(String[] arguments) throws Exception {
        String name = arguments[0];
        SfnClient client = SfnClient.builder()
            .overrideConfiguration(c -> c.putAdvancedOption(SdkAdvancedClientOption.DISABLE_HOST_PREFIX_INJECTION, true))
            .build();
        String activity = client.createActivity(r -> r.name(name)).activityArn();
        String definition = "{\"StartAt\": \"Approve\", \"States\": {\"Approve\": {\"Type\": \"Task\", \"Resource\": \""
            + activity + "\", \"HeartbeatSeconds\": 60, \"End\": true}}}";
        String machine = client.createStateMachine(r -> r.name(name).roleArn(ROLE).definition(definition)).stateMachineArn();
        var started = client.startExecution(
            r -> r.stateMachineArn(machine).name("order-1").input("{\"text\":\"\u00e9\ud83d\ude00\"}"));
        var task = client.getActivityTask(r -> r.activityArn(activity).workerName("worker"));
        client.sendTaskHeartbeat(r -> r.taskToken(task.taskToken()));
        client.sendTaskSuccess(r -> r.taskToken(task.taskToken()).output(task.input()));

        DescribeExecutionResponse execution = client.describeExecution(r -> r.executionArn(started.executionArn()));
        while (execution.status() == ExecutionStatus.RUNNING) {
            Thread.sleep(20);
            execution = client.describeExecution(r -> r.executionArn(started.executionArn()));
        }
        List<String> events = new ArrayList<>();
        int pages = 0;
        for (var page : client.getExecutionHistoryPaginator(
                r -> r.executionArn(started.executionArn()).maxResults(2))) {
            page.events().forEach(event -> events.add(event.typeAsString()));
            pages++;
        }
        String express = client.createStateMachine(
            r -> r.name(name + "-express").roleArn(ROLE).definition(PASS).type(StateMachineType.EXPRESS)).stateMachineArn();
        var sync = client.startSyncExecution(r -> r.stateMachineArn(express).input("[1]"));
        String missingArn = started.executionArn().replace("order-1", "none");

        String answer = "{\"input\":" + quoted(task.input())
            + ",\"status\":" + quoted(execution.statusAsString())
            + ",\"output\":" + quoted(execution.output())
            + ",\"dates\":" + !execution.stopDate().isBefore(started.startDate())
            + ",\"events\":[" + events.stream().map(Client::quoted).collect(Collectors.joining(",")) + "]"
            + ",\"pages\":" + pages
            + ",\"again\":" + error(() -> client.sendTaskSuccess(r -> r.taskToken(task.taskToken()).output("{}")))
            + ",\"missing\":" + error(() -> client.describeExecution(r -> r.executionArn(missingArn)))
            + ",\"invalid\":" + error(
                () -> client.createStateMachine(r -> r.name(name + "-bad").roleArn(ROLE).definition("{}")))
            + ",\"sync\":[" + quoted(sync.statusAsString()) + "," + quoted(sync.output()) + "]}";
        new PrintStream(System.out, true, StandardCharsets.UTF_8).println(answer);
    }

    private static String error(Runnable call) {
        try {
            call.run();
        } catch (AwsServiceException error) {
            return quoted(error.awsErrorDetails().errorCode());
        }
        return quoted("none");
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
