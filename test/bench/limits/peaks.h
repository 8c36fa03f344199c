// The fastest loops of this CPU: reading memory, and multiplying in registers.
#pragma once

#include <cstddef>
#include <cstdint>

/** A loop that multiplies and does nothing else. */
struct Peak {
  /** What it multiplies with. */
  const char* instruction;
  /** Runs so many rounds; returns how many operations that was. */
  int64_t (*run)(int64_t rounds);
};

/** u8 × i8 into i32. */
Peak int8Peak();
/** bf16 × bf16 into f32; f32's where the CPU has no such instruction. */
Peak bf16Peak();
Peak f32Peak();

/** A loop that loads and does next to nothing else. */
struct Reader {
  const char* instruction;
  /** Loads every byte once, in order; `bytes` is a multiple of 4096. */
  void (*run)(const uint8_t* data, size_t bytes);
};

Reader reader();
