// The same limits on both ends of every channel, and how a dead peer is noticed.
import type { ChannelOptions, ServerOptions } from "@grpc/grpc-js";
import { messageBytesMax } from "@octet/core";

/** A connection silent for this long is asked whether its peer lives. */
export const keepaliveTimeMs = 10_000;
/** A peer that does not answer that for this long is dead. */
export const keepaliveTimeoutMs = 5_000;

/** Calls one connection may have open at a server: many clients behind one proxy, with room. */
const streamsPerConnectionMax = 1024;

/**
 * What one side lets the other send ahead, per connection and stream. HTTP/2's own 64 KiB would
 * cap a 1 ms network at 64 MB/s; grpc-js can raise it only for what clients receive.
 */
export const flowControlWindowBytes = 8 * 1024 * 1024;

const bothEnds = {
  "grpc.max_receive_message_length": messageBytesMax,
  "grpc.max_send_message_length": messageBytesMax,
  "grpc.keepalive_time_ms": keepaliveTimeMs,
  "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
  "grpc.enable_channelz": 0,
} as const;

/** Options of every server of ours. */
export const serverOptions: ServerOptions = {
  ...bothEnds,
  "grpc.max_concurrent_streams": streamsPerConnectionMax,
};

/**
 * Options of every client of ours. Connections are its own: no proxy, no retry behind its back, no
 * back-off shared with another channel to the same address.
 */
export const channelOptions: ChannelOptions = {
  ...bothEnds,
  "grpc.keepalive_permit_without_calls": 1,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.use_local_subchannel_pool": 1,
  "grpc-node.flow_control_window": flowControlWindowBytes,
};
