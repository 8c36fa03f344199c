// Measures the transport alone, in half a minute. Usage: node main.ts [NAME ...]
import { median, pairRatios } from "../harness/statistics.ts";
import { measureTransport, type TransportCase, transportCases } from "./measure-transport.ts";

const names = process.argv.slice(2);
const unknown = names.filter((name) => !transportCases.includes(name as TransportCase));
if (unknown.length > 0) {
  process.stderr.write(`expected ${transportCases.join(", ")}, found ${unknown.join(", ")}\n`);
  process.exit(2);
}
const chosen = names.length === 0 ? transportCases : (names as TransportCase[]);
for (const measurement of await measureTransport(chosen)) {
  const { name, callUs, echoUs, callP95Us, echoP95Us, isPinned } = measurement;
  const ratio = median(pairRatios(callUs, echoUs)).toFixed(2);
  const said = (us: readonly number[], p95: number) =>
    `${median(us).toFixed(0)} µs (p95 ${p95.toFixed(0)})`;
  process.stdout.write(
    `${name.padEnd(10)} ${said(callUs, callP95Us)}, raw TCP ${said(echoUs, echoP95Us)}: ` +
      `${ratio} x${isPinned ? "" : ", not pinned"}\n`,
  );
}
