// AttentionEngine for JavaScript.
#include "attention-addon.h"

#include <utility>

#include "js-error.h"
#include "native-options.h"

namespace octet {

namespace {

AttentionShape readShape(const Napi::Object& options) {
  AttentionShape shape = {};
  shape.format = readFormat(options, "format");
  shape.hiddenSize = readInteger(options, "hiddenSize");
  shape.numAttentionHeads = readInteger(options, "numAttentionHeads");
  shape.numExperts = readInteger(options, "numExperts");
  shape.numExpertsPerToken = readInteger(options, "numExpertsPerToken");
  shape.vocabSize = readInteger(options, "vocabSize");
  shape.slidingWindow = readInteger(options, "slidingWindow");
  shape.ropeTheta = readDouble(options, "ropeTheta");
  shape.rmsNormEps = float(readDouble(options, "rmsNormEps"));
  return shape;
}

KvShape readKvShape(const Napi::Object& options, Format weights) {
  KvShape shape = {};
  shape.format = replyFormat(weights);
  shape.numLayers = readInteger(options, "numLayers");
  shape.numBlocks = readInteger(options, "numBlocks");
  shape.numKeyValueHeads = readInteger(options, "numKeyValueHeads");
  shape.blockSize = readInteger(options, "blockSizeTokens");
  shape.headDim = readInteger(options, "headDim");
  return shape;
}

// In the order that the wrapper lists them: src/cpu/tensor-offsets.ts.
AttentionWeights readWeights(const Napi::Object& options, const MappedFile& file,
                             const AttentionShape& shape, const KvShape& kv) {
  TensorReader tensors(file, options.Get("offsets").As<Napi::Float64Array>().Data());
  const int64_t hidden = shape.hiddenSize;
  const int64_t queryWidth = shape.numAttentionHeads * kv.headDim;
  const int64_t keyWidth = kv.numKeyValueHeads * kv.headDim;
  AttentionWeights weights = {};
  weights.embedding =
      tensors.matrix(readFormat(options, "embeddingFormat"), shape.vocabSize, hidden);
  for (int64_t layer = 0; layer < kv.numLayers; layer++) {
    LayerWeights of = {};
    of.inputNorm = tensors.vector();
    of.q = tensors.matrix(shape.format, queryWidth, hidden);
    of.k = tensors.matrix(shape.format, keyWidth, hidden);
    of.v = tensors.matrix(shape.format, keyWidth, hidden);
    of.o = tensors.matrix(shape.format, hidden, queryWidth);
    of.postAttentionNorm = tensors.vector();
    of.gate = tensors.matrix(Format::f32, shape.numExperts, hidden);
    weights.layers.push_back(of);
  }
  weights.finalNorm = tensors.vector();
  weights.lmHead = tensors.matrix(shape.format, shape.vocabSize, hidden);
  return weights;
}

std::vector<int32_t> readIntegers(const Napi::Value& value) {
  const Napi::Int32Array from = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(from.Data(), from.Data() + from.ElementLength());
}

template <class Array>
auto* dataOf(const Napi::Object& object, const char* name) {
  return object.Get(name).As<Array>().Data();
}

DispatchTarget readTarget(const Napi::Object& from) {
  DispatchTarget target = {};
  target.rows = dataOf<Napi::Uint8Array>(from, "rows");
  target.tokenIndex = dataOf<Napi::Int32Array>(from, "tokenIndex");
  target.batchStart = dataOf<Napi::Int32Array>(from, "batchStart");
  target.expertIds = dataOf<Napi::Int32Array>(from, "expertIds");
  target.combineWeights = dataOf<Napi::Float32Array>(from, "combineWeights");
  return target;
}

Napi::Array keepAll(const Napi::CallbackInfo& info) {
  Napi::Array kept = Napi::Array::New(info.Env());
  kept.Set(0u, info.This());
  for (uint32_t i = 0; i < info.Length(); i++) kept.Set(i + 1, info[i]);
  return kept;
}

AttentionStep* readStep(const Napi::Value& value) {
  return value.As<Napi::External<AttentionStep>>().Data();
}

}  // namespace

Napi::Function AttentionAddon::define(Napi::Env env) {
  return DefineClass(env, "NativeAttentionEngine",
                     {InstanceMethod<&AttentionAddon::openStep>("openStep"),
                      InstanceMethod<&AttentionAddon::runLayer>("runLayer"),
                      InstanceMethod<&AttentionAddon::finish>("finish"),
                      InstanceMethod<&AttentionAddon::populate>("populate"),
                      InstanceMethod<&AttentionAddon::close>("close"),
                      InstanceAccessor<&AttentionAddon::kvBytes>("kvBytes")});
}

AttentionAddon::AttentionAddon(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<AttentionAddon>(info) {
  withJsErrors(info.Env(), [&] { open(info.Env(), info[0].As<Napi::Object>()); });
}

void AttentionAddon::open(Napi::Env env, const Napi::Object& options) {
  const KernelTable& kernels = readKernels(options);
  const AttentionShape shape = readShape(options);
  const KvShape kvShape = readKvShape(options, shape.format);
  const int threads = int(readInteger(options, "threads"));
  auto file = readFile(options);
  AttentionWeights weights = readWeights(options, *file, shape, kvShape);
  numExperts_ = size_t(shape.numExperts);
  engine_ = std::make_unique<AttentionEngine>(kernels, shape, kvShape, std::move(file),
                                              std::move(weights), threads);
  kvBytes_ = engine_->kvBytes();
  host_ = std::make_unique<AsyncHost>(env, threads);
}

Napi::Value AttentionAddon::kvBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), double(kvBytes_));
}

// openStep({ tokenIds, positions, sequences, logitRows: Int32Array, blockTables: Int32Array[] })
Napi::Value AttentionAddon::openStep(const Napi::CallbackInfo& info) {
  const Napi::Object from = info[0].As<Napi::Object>();
  auto step = std::make_unique<AttentionStep>();
  step->tokenIds = readIntegers(from.Get("tokenIds"));
  step->positions = readIntegers(from.Get("positions"));
  step->sequences = readIntegers(from.Get("sequences"));
  step->logitRows = readIntegers(from.Get("logitRows"));
  const Napi::Array tables = from.Get("blockTables").As<Napi::Array>();
  for (uint32_t i = 0; i < tables.Length(); i++) {
    step->blockTables.push_back(readIntegers(tables.Get(i)));
  }
  return Napi::External<AttentionStep>::New(
      info.Env(), step.release(), [](Napi::BasicEnv, AttentionStep* owned) { delete owned; });
}

// previous[e]: Uint8Array of expert e's reply, undefined where it was not asked.
ExpertReplies AttentionAddon::readReplies(const Napi::Value& previous) const {
  const Napi::Array from = previous.As<Napi::Array>();
  ExpertReplies replies(numExperts_, nullptr);
  for (uint32_t e = 0; e < from.Length(); e++) {
    const Napi::Value reply = from.Get(e);
    if (!reply.IsUndefined()) replies[e] = reply.As<Napi::Uint8Array>().Data();
  }
  return replies;
}

// runLayer(step, layer, previous, target): Promise<void>
Napi::Value AttentionAddon::runLayer(const Napi::CallbackInfo& info) {
  AttentionStep* step = readStep(info[0]);
  const int64_t layer = info[1].As<Napi::Number>().Int64Value();
  const ExpertReplies replies = readReplies(info[2]);
  const DispatchTarget target = readTarget(info[3].As<Napi::Object>());
  return host_->submit(keepAll(info), [=](ThreadPool& pool) {
    engine_->runLayer(pool, *step, layer, replies, target);
  });
}

// finish(step, previous, logits: Float32Array): Promise<void>
Napi::Value AttentionAddon::finish(const Napi::CallbackInfo& info) {
  AttentionStep* step = readStep(info[0]);
  const ExpertReplies replies = readReplies(info[1]);
  float* logits = info[2].As<Napi::Float32Array>().Data();
  return host_->submit(keepAll(info), [=](ThreadPool& pool) {
    engine_->finish(pool, *step, replies, logits);
  });
}

// populate(): Promise<void>, once the weights are in this process's map.
Napi::Value AttentionAddon::populate(const Napi::CallbackInfo& info) {
  return host_->submit(info.This().As<Napi::Object>(),
                       [this](ThreadPool& pool) { engine_->populate(pool); });
}

Napi::Value AttentionAddon::close(const Napi::CallbackInfo& info) {
  return host_->close(info.This().As<Napi::Object>(),
                      [this](ThreadPool&) { engine_.reset(); });
}

}  // namespace octet
