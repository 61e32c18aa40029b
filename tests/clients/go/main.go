// An approval through AWS's SDK for Go: start, poll, heartbeat, token, history. What it saw, as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const role = "arn:aws:iam::000000000000:role/none"

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func nameOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return "none"
}

// Without the prefix "sync-" before the host's name, which is an address here.
func noHostPrefix(options *sfn.Options) {
	options.APIOptions = append(options.APIOptions, func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("NoHostPrefix", func(
			ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
		) (middleware.InitializeOutput, middleware.Metadata, error) {
			return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
		}), middleware.Before)
	})
}

func main() {
	ctx, name := context.Background(), os.Args[1]
	settings, err := config.LoadDefaultConfig(ctx)
	check(err)
	client := sfn.NewFromConfig(settings, noHostPrefix)

	activity, err := client.CreateActivity(ctx, &sfn.CreateActivityInput{Name: &name})
	check(err)
	definition := fmt.Sprintf(`{"StartAt": "Approve", "States": {"Approve":
		{"Type": "Task", "Resource": "%s", "HeartbeatSeconds": 60, "End": true}}}`, *activity.ActivityArn)
	machine, err := client.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: &name, RoleArn: aws.String(role), Definition: &definition,
	})
	check(err)
	started, err := client.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: machine.StateMachineArn, Name: aws.String("order-1"), Input: aws.String(`{"text":"é😀"}`),
	})
	check(err)
	task, err := client.GetActivityTask(ctx, &sfn.GetActivityTaskInput{
		ActivityArn: activity.ActivityArn, WorkerName: aws.String("worker"),
	})
	check(err)
	_, err = client.SendTaskHeartbeat(ctx, &sfn.SendTaskHeartbeatInput{TaskToken: task.TaskToken})
	check(err)
	answer := &sfn.SendTaskSuccessInput{TaskToken: task.TaskToken, Output: task.Input}
	_, err = client.SendTaskSuccess(ctx, answer)
	check(err)

	var execution *sfn.DescribeExecutionOutput
	for execution == nil || execution.Status == types.ExecutionStatusRunning {
		time.Sleep(20 * time.Millisecond)
		execution, err = client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: started.ExecutionArn})
		check(err)
	}
	events, pages := []string{}, 0
	history := sfn.NewGetExecutionHistoryPaginator(client, &sfn.GetExecutionHistoryInput{
		ExecutionArn: started.ExecutionArn, MaxResults: 2,
	})
	for history.HasMorePages() {
		page, err := history.NextPage(ctx)
		check(err)
		for _, event := range page.Events {
			events = append(events, string(event.Type))
		}
		pages++
	}
	express, err := client.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: aws.String(name + "-express"), RoleArn: aws.String(role), Type: types.StateMachineTypeExpress,
		Definition: aws.String(`{"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}`),
	})
	check(err)
	sync, err := client.StartSyncExecution(ctx, &sfn.StartSyncExecutionInput{
		StateMachineArn: express.StateMachineArn, Input: aws.String("[1]"),
	})
	check(err)
	_, again := client.SendTaskSuccess(ctx, answer)
	_, missing := client.DescribeExecution(ctx, &sfn.DescribeExecutionInput{
		ExecutionArn: aws.String(strings.Replace(*started.ExecutionArn, "order-1", "none", 1)),
	})
	_, invalid := client.CreateStateMachine(ctx, &sfn.CreateStateMachineInput{
		Name: aws.String(name + "-bad"), RoleArn: aws.String(role), Definition: aws.String("{}"),
	})
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"input": task.Input, "status": execution.Status, "output": execution.Output,
		"dates":  !execution.StopDate.Before(*started.StartDate),
		"events": events, "pages": pages,
		"again": nameOf(again), "missing": nameOf(missing), "invalid": nameOf(invalid),
		"sync": []any{sync.Status, sync.Output},
	}))
}
