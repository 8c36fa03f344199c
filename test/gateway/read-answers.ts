// Posts to a gateway, and what comes back.
import { expect } from "vitest";
import type { GatewayCluster } from "./gateway-cluster.ts";

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as clients do
export type Json = any;

/** The body of an answer; fails if it is none. */
export async function answerOf(cluster: GatewayCluster, path: string, body: object): Promise<Json> {
  const response = await cluster.post(path, body);
  const json = await response.json();
  expect(response.status, JSON.stringify(json)).toBe(200);
  return json;
}

/** What a refused request is told, in the shape that all clients read. */
export async function refusalOf(
  cluster: GatewayCluster,
  path: string,
  body: unknown,
  init?: RequestInit,
) {
  const response = await cluster.post(path, body, init);
  const json: Json = await response.json();
  expect(json.error).toEqual({
    message: json.message,
    type: json.type,
    param: json.param,
    code: json.code,
  });
  expect(json.object).toBe("error");
  return { status: response.status, code: json.code, param: json.param, message: json.message };
}
