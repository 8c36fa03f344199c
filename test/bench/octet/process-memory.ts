// How much of this machine's memory a process has.
import { readFileSync } from "node:fs";

/** Resident memory, in bytes. */
export interface ProcessMemory {
  readonly residentBytes: number;
  /** Of it, what is the process's own. */
  readonly anonymousBytes: number;
  /** Of it, mapped files: weights, and programs. */
  readonly fileBytes: number;
}

/** @throws {Error} if there is no such process, or no /proc */
export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytesOf = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
  return {
    residentBytes: bytesOf("VmRSS"),
    anonymousBytes: bytesOf("RssAnon"),
    fileBytes: bytesOf("RssFile"),
  };
}
