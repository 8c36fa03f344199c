// Streams one answer from an Octet coordinator, with a deadline, cancellation and errors.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	inference "octet.example/client/gen/octet/inference/v1"
)

type options struct {
	prompt      string
	maxTokens   uint
	cancelAfter int
	topP        float64
}

func main() {
	var o options
	address := flag.String("address", "127.0.0.1:50050", "the coordinator")
	flag.UintVar(&o.maxTokens, "max-tokens", 40, "longest answer")
	flag.IntVar(&o.cancelAfter, "cancel-after", 0, "deltas; 0 reads to the end")
	flag.Float64Var(&o.topP, "top-p", 1, "keep the likeliest tokens that reach this probability")
	flag.Parse()
	o.prompt = flag.Arg(0)

	connection, err := grpc.NewClient(*address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	defer connection.Close()
	err = stream(inference.NewInferenceServiceClient(connection), o)
	if o.cancelAfter > 0 && status.Code(err) == codes.Canceled {
		fmt.Fprintln(os.Stderr, "\ncancelled")
	} else if err != nil {
		explain(err)
		os.Exit(1)
	}
}

// stream prints the answer as it comes; it stops it after some deltas if asked to.
func stream(client inference.InferenceServiceClient, o options) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel() // stops the work at the coordinator and its workers
	call, err := client.Generate(ctx, &inference.GenerateRequest{
		Input:    &inference.GenerateRequest_Text{Text: o.prompt},
		Sampling: &inference.SamplingParams{Temperature: proto.Float32(0), TopP: proto.Float32(float32(o.topP))},
		Stop:     &inference.StopParams{MaxTokens: proto.Uint32(uint32(o.maxTokens))},
	})
	if err != nil {
		return err
	}
	deltas := 0
	for {
		response, err := call.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch event := response.Event.(type) {
		case *inference.GenerateResponse_Delta:
			fmt.Print(event.Delta.Text)
			if deltas++; deltas == o.cancelAfter {
				cancel()
			}
		case *inference.GenerateResponse_Finished:
			fmt.Fprintf(os.Stderr, "\n%d tokens\n", event.Finished.CompletionTokens)
		}
	}
}

// explain prints the status, and what its details say for programs.
func explain(err error) {
	failure := status.Convert(err)
	fmt.Fprintf(os.Stderr, "%s: %s\n", failure.Code(), failure.Message())
	for _, detail := range failure.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Fprintf(os.Stderr, "reason: %s\n", detail.Reason)
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				fmt.Fprintf(os.Stderr, "field: %s\n", violation.Field)
			}
		}
	}
}
