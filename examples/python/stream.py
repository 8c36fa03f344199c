"""Streams one answer from an Octet coordinator, with a deadline, cancellation and errors.

Usage: python stream.py [--address HOST:PORT] [--max-tokens N] [--cancel-after N] [--top-p P] PROMPT
"""

import argparse
import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from octet.inference.v1 import inference_pb2 as inference
from octet.inference.v1.inference_pb2_grpc import InferenceServiceStub


def stream(stub: InferenceServiceStub, args: argparse.Namespace) -> None:
    """Prints the answer as it comes; stops it after some deltas if asked to."""
    request = inference.GenerateRequest(
        text=args.prompt,
        sampling=inference.SamplingParams(temperature=0, top_p=args.top_p),
        stop=inference.StopParams(max_tokens=args.max_tokens),
    )
    call = stub.Generate(request, timeout=60)
    deltas = 0
    for response in call:
        kind = response.WhichOneof("event")
        if kind == "delta":
            print(response.delta.text, end="", flush=True)
            deltas += 1
            if deltas == args.cancel_after:
                call.cancel()  # stops the work at the coordinator and its workers
        elif kind == "finished":
            print(f"\n{response.finished.completion_tokens} tokens", file=sys.stderr)


def explain(error: grpc.RpcError) -> str:
    """The status, and what its details say for programs."""
    lines = [f"{error.code().name}: {error.details()}"]
    status = rpc_status.from_call(error)
    for detail in status.details if status else []:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            lines.append(f"reason: {info.reason}")
        elif detail.Unpack(bad):
            lines += [f"field: {violation.field}" for violation in bad.field_violations]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("prompt")
    parser.add_argument("--address", default="127.0.0.1:50050")
    parser.add_argument("--max-tokens", type=int, default=40)
    parser.add_argument("--cancel-after", type=int, help="deltas")
    parser.add_argument("--top-p", type=float)
    args = parser.parse_args()
    with grpc.insecure_channel(args.address) as channel:
        try:
            stream(InferenceServiceStub(channel), args)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.CANCELLED and args.cancel_after:
                print("\ncancelled", file=sys.stderr)
                return 0
            print(explain(error), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
