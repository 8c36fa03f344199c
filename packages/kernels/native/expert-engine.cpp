#include "expert-engine.h"

#include <atomic>
#include <utility>

#include "failure.h"
#include "row-format.h"

namespace octet {

namespace {

// Rows that go through all three matrices before the next ones: bounds the scratch memory, and a
// weight read from memory still serves this many rows. A multiple of the kernels' tiles of six, and
// above what one of eight experts gets of a prompt of 512 tokens, so that no few rows are left over.
constexpr int64_t rowsPerBlock = 192;

}  // namespace

// Some of a call's rows on their way through the expert.
struct ExpertEngine::Block {
  const uint8_t* from;
  int64_t rows;
  uint8_t* to;
  PreparedRows input;
  PreparedRows inner;
};

ExpertEngine::ExpertEngine(const KernelTable& kernels, const ExpertShape& shape,
                           std::vector<std::unique_ptr<MappedFile>> files,
                           std::vector<ExpertMatrices> experts, int threads)
    : kernels_(kernels), shape_(shape), files_(std::move(files)), experts_(std::move(experts)) {
  const size_t tileBytes = size_t(rowsPerBlock * rowsPerTask) * sizeof(float);
  for (int thread = 0; thread < threads; thread++) {
    scratch_.push_back({AlignedBuffer(tileBytes), AlignedBuffer(tileBytes),
                        AlignedBuffer(multiplyScratchFloats * sizeof(float))});
  }
}

void ExpertEngine::populate(ThreadPool& pool) const {
  for (const auto& file : files_) file->populate([&] { return pool.abandoned(); });
}

void ExpertEngine::forward(ThreadPool& pool, size_t expert, const uint8_t* input, int64_t rows,
                           uint8_t* output) {
  const size_t inputStride = kernels_.preparedBytes(shape_.format, shape_.hiddenSize);
  const size_t innerStride = kernels_.preparedBytes(shape_.format, shape_.intermediateSize);
  const int64_t inputBytes = rowBytes(shape_.format, shape_.hiddenSize);
  const int64_t outputBytes = rowBytes(replyFormat(shape_.format), shape_.hiddenSize);
  const int64_t blockRows = rows < rowsPerBlock ? rows : rowsPerBlock;
  input_.reserve(size_t(blockRows) * inputStride);
  inner_.reserve(size_t(blockRows) * innerStride);
  for (int64_t row = 0; row < rows; row += rowsPerBlock) {
    Block block = {};
    block.from = input + row * inputBytes;
    block.rows = rows - row < rowsPerBlock ? rows - row : rowsPerBlock;
    block.to = output + row * outputBytes;
    block.input = {input_.bytes(), block.rows, inputStride};
    block.inner = {inner_.bytes(), block.rows, innerStride};
    prepareInput(pool, block);
    computeInner(pool, experts_[expert], block);
    const bool finite = computeOutput(pool, experts_[expert], block);
    if (pool.abandoned()) throw Failure("closed", "the engine was closed during the call");
    if (!finite) throw Failure("non-finite", "the expert's output holds NaN or infinity");
  }
}

void ExpertEngine::prepareInput(ThreadPool& pool, const Block& block) {
  const int64_t bytes = rowBytes(shape_.format, shape_.hiddenSize);
  pool.forEach(block.rows, [&](int64_t row, int) {
    uint8_t* to = block.input.data + size_t(row) * block.input.stride;
    kernels_.prepareEncoded(shape_.format, block.from + row * bytes, shape_.hiddenSize, to);
  });
}

// inner = silu(w1 x) * w3 x, in the form that w2 reads.
void ExpertEngine::computeInner(ThreadPool& pool, const ExpertMatrices& expert,
                                const Block& block) {
  const int64_t width = shape_.intermediateSize;
  pool.forEach(tasksFor(width), [&](int64_t task, int thread) {
    const RowRange range = taskRows(task, width);
    const int64_t columns = range.end - range.begin;
    Scratch& scratch = scratch_[size_t(thread)];
    float* branch1 = scratch.branch1.floats();
    float* branch3 = scratch.branch3.floats();
    float* partial = scratch.partial.floats();
    kernels_.multiply(expert.w1, range, block.input, branch1, rowsPerTask, partial);
    kernels_.multiply(expert.w3, range, block.input, branch3, rowsPerTask, partial);
    for (int64_t row = 0; row < block.rows; row++) {
      kernels_.siluMultiply(branch1 + row * rowsPerTask, branch3 + row * rowsPerTask, columns);
      uint8_t* to = block.inner.data + size_t(row) * block.inner.stride;
      kernels_.prepare(shape_.format, branch1 + row * rowsPerTask, width, range, to);
    }
  });
}

// output = w2 inner, in the form that travels back. False if a value is not finite.
bool ExpertEngine::computeOutput(ThreadPool& pool, const ExpertMatrices& expert,
                                 const Block& block) {
  const int64_t width = shape_.hiddenSize;
  const Format reply = replyFormat(shape_.format);
  std::atomic<bool> finite{true};
  pool.forEach(tasksFor(width), [&](int64_t task, int thread) {
    const RowRange range = taskRows(task, width);
    Scratch& scratch = scratch_[size_t(thread)];
    float* out = scratch.branch1.floats();
    kernels_.multiply(expert.w2, range, block.inner, out, rowsPerTask, scratch.partial.floats());
    for (int64_t row = 0; row < block.rows; row++) {
      uint8_t* to = block.to + row * rowBytes(reply, width) + rowBytes(reply, range.begin);
      const int64_t count = range.end - range.begin;
      if (!kernels_.encodeFinite(reply, out + row * rowsPerTask, count, to)) finite = false;
    }
  });
  return finite;
}

}  // namespace octet
