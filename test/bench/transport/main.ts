// Measures the transport alone. Usage: node main.ts [--json] [NAME ...]
import { measureTransport, type TransportCase, transportCases } from "./measure-transport.ts";

const args = process.argv.slice(2);
const names = args.filter((arg) => arg !== "--json");
const unknown = names.filter((name) => !transportCases.includes(name as TransportCase));
if (unknown.length > 0) {
  process.stderr.write(`expected ${transportCases.join(", ")}, found ${unknown.join(", ")}\n`);
  process.exit(2);
}
const chosen = names.length === 0 ? transportCases : (names as TransportCase[]);
for (const measurement of await measureTransport(chosen)) {
  const { name, value, unit, peer, ratio, valueP95, peerP95, isPinned } = measurement;
  const line = args.includes("--json")
    ? JSON.stringify(measurement)
    : `${name.padEnd(10)} ${value.toFixed(0).padStart(6)} ${unit} (p95 ${valueP95.toFixed(0)}), ` +
      `raw TCP ${peer.toFixed(0)} (p95 ${peerP95.toFixed(0)}): ${ratio.toFixed(2)} x` +
      `${isPinned ? "" : ", not pinned"}`;
  process.stdout.write(`${line}\n`);
}
