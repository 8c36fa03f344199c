// Every check of the project, in the order that fails fastest. Closes with one line of counts.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installSwiftShader } from "./install-swiftshader.ts";

interface VitestReport {
  numPassedTests: number;
  numFailedTests: number;
  testResults: { status: string; assertionResults: unknown[] }[];
}

let passed = 0;
let failed = 0;

function check(name: string, command: string, args: readonly string[]): void {
  const started = performance.now();
  const { status } = spawnSync(command, args, { stdio: "inherit" });
  const ok = status === 0;
  if (ok) passed++;
  else failed++;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${ok ? "ok    " : "FAILED"} ${name} (${seconds} s)\n`);
}

function runVitest(extra: readonly string[]): void {
  const report = join(tmpdir(), `octet-vitest-${process.pid}.json`);
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const { status } = spawnSync("vitest", [...args, ...extra], { stdio: "inherit" });
  try {
    const counts = JSON.parse(readFileSync(report, "utf8")) as VitestReport;
    passed += counts.numPassedTests;
    failed += counts.numFailedTests;
    // A file that does not load has no failed test of its own.
    const brokenFiles = counts.testResults.filter(
      (file) => file.status === "failed" && file.assertionResults.length === 0,
    );
    failed += brokenFiles.length;
  } catch (error) {
    process.stdout.write(`vitest left no report: ${String(error)}\n`);
    failed++;
  } finally {
    rmSync(report, { force: true });
  }
  if (status !== 0 && failed === 0) failed++;
}

const filters = process.argv.slice(2);
if (filters.length === 0) {
  check("format and lint (biome)", "biome", ["check", "--error-on-warnings", "."]);
  check("types (tsc)", "tsc", ["-p", "tsconfig.json"]);
  check("wire contracts (buf lint)", "buf", ["lint", "proto"]);
}
installSwiftShader();
runVitest(filters);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
