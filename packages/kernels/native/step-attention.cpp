#include "step-attention.h"

#include <algorithm>

namespace octet {

namespace {

// Rows of a tile: enough that arithmetic hides reading the cache, few enough that their scores stay
// in the second-level cache.
constexpr int64_t tileRows = 32;

// Units for each thread, so that none is left alone with a long one.
constexpr int64_t unitsPerThread = 8;

// Memory for the sums of shared items, unless a single one takes more: a wave's work for it takes
// long against gathering the threads once more.
constexpr size_t partSumsBytesMax = size_t(4) << 20;

}  // namespace

StepAttention::StepAttention(const AttendKernels& kernels, const KvCache& cache,
                             const AttentionGroups& groups, int threads)
    : kernels_(kernels),
      cache_(cache),
      groups_(groups),
      tileTokens_(std::max<int64_t>(1, tileRows / groups.groupSize)),
      scratch_(size_t(threads)) {
  const int64_t rows = tileTokens_ * groups.groupSize;
  for (Scratch& scratch : scratch_) {
    scratch.scores.reserve(size_t(rows * attendScoreStride) * sizeof(float));
    scratch.sums.reserve(2 * sumsFloats(rows) * sizeof(float));
  }
}

void StepAttention::run(ThreadPool& pool, const AttentionStep& step, int64_t layer,
                        const float* queries, float* out) {
  const Call call = {step, layer, queries, out};
  planTiles(step);
  planItems();
  for (size_t begin = 0; begin < items_.size();) {
    const size_t end = planUnits(begin);
    pool.forEach(int64_t(units_.size()), [&](int64_t index, int thread) {
      const Unit& unit = units_[size_t(index)];
      Scratch& scratch = scratch_[size_t(thread)];
      if (unit.item->sums == nullptr) attendWhole(call, unit, scratch);
      else attendPart(call, unit, scratch);
    });
    pool.forEach(int64_t(shared_.size()), [&](int64_t index, int) {
      mergeParts(call, *shared_[size_t(index)]);
    });
    begin = end;
  }
}

// The longest past first, so that what is taken last is short.
void StepAttention::planTiles(const AttentionStep& step) {
  tiles_.clear();
  for (const TokenRun& tokens : tokenRuns(step, tileTokens_)) {
    const int64_t position = step.positions[size_t(tokens.begin)];
    const int64_t first = std::max<int64_t>(0, position - groups_.slidingWindow + 1) / attendChunk;
    const int64_t last = (position + tokens.count - 1) / attendChunk;
    tiles_.push_back({tokens, first, last - first + 1});
  }
  std::stable_sort(tiles_.begin(), tiles_.end(),
                   [](const Tile& a, const Tile& b) { return a.numChunks > b.numChunks; });
}

// One KV head after another, so that tiles of one sequence find its past in a cache.
void StepAttention::planItems() {
  const int64_t heads = cache_.shape().numKeyValueHeads;
  int64_t numChunks = 0;
  items_.clear();
  for (int64_t head = 0; head < heads; head++) {
    for (const Tile& tile : tiles_) {
      items_.push_back({&tile, head, nullptr});
      numChunks += tile.numChunks;
    }
  }
  const int64_t units = unitsPerThread * int64_t(scratch_.size());
  unitChunks_ = std::max<int64_t>(1, numChunks / units);
}

// Units of the items from `begin` on, as many as there is memory for; returns the first item left.
size_t StepAttention::planUnits(size_t begin) {
  units_.clear();
  shared_.clear();
  size_t floats = 0, end = begin;
  for (; end < items_.size(); end++) {
    Item& item = items_[end];
    if (item.tile->numChunks <= unitChunks_) {
      units_.push_back({&item, item.tile->firstChunk, item.tile->numChunks});
      continue;
    }
    const size_t more = size_t(item.tile->numChunks) * sumsFloats(rowsOf(item));
    if (floats > 0 && (floats + more) * sizeof(float) > partSumsBytesMax) break;
    floats += more;
    shared_.push_back(&item);
    for (int64_t done = 0; done < item.tile->numChunks; done += unitChunks_) {
      const int64_t left = item.tile->numChunks - done;
      units_.push_back({&item, item.tile->firstChunk + done, std::min(left, unitChunks_)});
    }
  }
  partSums_.reserve(floats * sizeof(float));
  float* sums = partSums_.floats();
  for (Item* item : shared_) {
    item->sums = sums;
    sums += size_t(item->tile->numChunks) * sumsFloats(rowsOf(*item));
  }
  return end;
}

// All chunks of an item, merged as they come.
void StepAttention::attendWhole(const Call& call, const Unit& unit, Scratch& scratch) const {
  const AttendTask task = taskOf(call, unit);
  const int64_t rows = rowsOf(*unit.item);
  float* scores = scratch.scores.floats();
  const AttendSums sums = sumsAt(scratch.sums.floats(), rows);
  const AttendSums next = sumsAt(scratch.sums.floats() + sumsFloats(rows), rows);
  kernels_.chunk(task, unit.firstChunk, scores, sums);
  for (int64_t c = 1; c < unit.numChunks; c++) {
    kernels_.chunk(task, unit.firstChunk + c, scores, next);
    kernels_.merge(task, next, sums);
  }
  finish(call, *unit.item, sums);
}

void StepAttention::attendPart(const Call& call, const Unit& unit, Scratch& scratch) const {
  const AttendTask task = taskOf(call, unit);
  const int64_t rows = rowsOf(*unit.item);
  for (int64_t chunk = unit.firstChunk; chunk < unit.firstChunk + unit.numChunks; chunk++) {
    const size_t index = size_t(chunk - unit.item->tile->firstChunk);
    float* sums = unit.item->sums + index * sumsFloats(rows);
    kernels_.chunk(task, chunk, scratch.scores.floats(), sumsAt(sums, rows));
  }
}

void StepAttention::mergeParts(const Call& call, const Item& item) const {
  const Tile& tile = *item.tile;
  const AttendTask task = taskOf(call, {&item, tile.firstChunk, tile.numChunks});
  const int64_t rows = rowsOf(item);
  const AttendSums sums = sumsAt(item.sums, rows);
  for (int64_t c = 1; c < tile.numChunks; c++) {
    kernels_.merge(task, sumsAt(item.sums + size_t(c) * sumsFloats(rows), rows), sums);
  }
  finish(call, item, sums);
}

void StepAttention::finish(const Call& call, const Item& item, const AttendSums& sums) const {
  const Tile& tile = *item.tile;
  const int64_t groupWidth = groups_.groupSize * cache_.shape().headDim;
  const int64_t width = cache_.shape().numKeyValueHeads * groupWidth;
  float* out = call.out + tile.tokens.begin * width + item.head * groupWidth;
  kernels_.finish(taskOf(call, {&item, tile.firstChunk, tile.numChunks}), sums, out, width);
}

AttendTask StepAttention::taskOf(const Call& call, const Unit& unit) const {
  const AttentionStep& step = call.step;
  const Item& item = *unit.item;
  const TokenRun& tokens = item.tile->tokens;
  const int64_t position = step.positions[size_t(tokens.begin)];
  AttendTask task = {};
  task.kv = cache_.head(call.layer, item.head);
  task.blockTable = step.blockTables[size_t(step.sequences[size_t(tokens.begin)])].data();
  task.queries = call.queries + (item.head * step.numTokens() + tokens.begin) *
                                    groups_.groupSize * task.kv.headDim;
  task.numTokens = tokens.count;
  task.groupSize = groups_.groupSize;
  task.position = position;
  task.window = groups_.slidingWindow;
  task.scale = float(1.0 / __builtin_sqrt(double(task.kv.headDim)));
  task.readEnd = std::min((unit.firstChunk + unit.numChunks) * attendChunk,
                          position + tokens.count);
  return task;
}

// Whole cache lines: no two threads write to one.
size_t StepAttention::sumsFloats(int64_t rows) const {
  return size_t(rows * cache_.headStride() + (2 * rows + 15) / 16 * 16);
}

AttendSums StepAttention::sumsAt(float* memory, int64_t rows) const {
  float* largest = memory + rows * cache_.headStride();
  return {largest, largest + rows, memory};
}

}  // namespace octet
