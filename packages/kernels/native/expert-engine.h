// The experts of one worker: y = w2(silu(w1 x) * w3 x), row by row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aligned-buffer.h"
#include "kernel-table.h"
#include "mapped-file.h"
#include "thread-pool.h"

namespace octet {

struct ExpertMatrices {
  Matrix w1;  // [I, H], the branch that goes through silu
  Matrix w3;  // [I, H], the branch that multiplies it
  Matrix w2;  // [H, I]
};

struct ExpertShape {
  Format format;
  int64_t hiddenSize;
  int64_t intermediateSize;
};

class ExpertEngine {
 public:
  // `experts` point into `files`.
  ExpertEngine(const KernelTable& kernels, const ExpertShape& shape,
               std::vector<std::unique_ptr<MappedFile>> files, std::vector<ExpertMatrices> experts,
               int threads);

  // See MappedFile.
  void populate(ThreadPool& pool) const;

  // input: rows of hiddenSize in the weights' travelling form; output: rows in the reply's.
  // Throws Failure "non-finite", or "closed" if the pool was told to abandon it.
  void forward(ThreadPool& pool, size_t expert, const uint8_t* input, int64_t rows,
               uint8_t* output);

 private:
  struct Block;
  struct Scratch {
    AlignedBuffer branch1, branch3, partial;
  };

  void prepareInput(ThreadPool& pool, const Block& block);
  void computeInner(ThreadPool& pool, const ExpertMatrices& expert, const Block& block);
  bool computeOutput(ThreadPool& pool, const ExpertMatrices& expert, const Block& block);

  const KernelTable& kernels_;
  const ExpertShape shape_;
  const std::vector<std::unique_ptr<MappedFile>> files_;
  const std::vector<ExpertMatrices> experts_;
  std::vector<Scratch> scratch_;  // one for each thread
  AlignedBuffer input_;           // prepared rows [t, H]
  AlignedBuffer inner_;           // prepared rows [t, I]
};

}  // namespace octet
