// What benchmarks measure with: opened when first asked for, closed when something else is.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LimitsProbe } from "../limits/limits-probe.ts";
import { type BenchDtype, BenchModels } from "../model/bench-models.ts";
import { BenchCluster } from "../octet/bench-cluster.ts";
import { OneProcessOctet } from "../octet/one-process-octet.ts";
import { SharedWorkers } from "../octet/shared-workers.ts";
import { Llama } from "../peer/llama.ts";
import { checkAgreement } from "./agreement.ts";
import { Slot } from "./slot.ts";

const buildFolder = fileURLToPath(new URL("../build", import.meta.url));
/** Enough for one long sequence, or for many short ones. */
const kvTokens = 8192;

/** Octet and llama.cpp with the same weights, found to compute the same. */
export interface Contest {
  readonly octet: OneProcessOctet;
  readonly llama: Llama;
  /** Relative difference of their logits. */
  readonly logitsDifference: number;
}

/** Where everything that is measured comes from. */
export class BenchSetting implements AsyncDisposable {
  /** Pairs of each comparison. */
  readonly pairs: number;
  /** Compute threads of whatever computes in one process. */
  readonly threads = availableParallelism();
  readonly say: (text: string) => void;
  readonly models: BenchModels;
  readonly #limits = new Slot<LimitsProbe>();
  readonly #octet = new Slot<OneProcessOctet>();
  readonly #llama = new Slot<Llama>();
  readonly #cluster = new Slot<BenchCluster>();
  readonly #workers = new Slot<SharedWorkers>();
  readonly #differences = new Map<BenchDtype, number>();

  constructor(options: { readonly pairs: number; readonly say: (text: string) => void }) {
    this.pairs = options.pairs;
    this.say = options.say;
    this.models = new BenchModels(join(buildFolder, "models"), options.say);
  }

  /** The machine's limits, with the weights of a model as what is read. */
  async limits(dtype: BenchDtype): Promise<LimitsProbe> {
    const { expertFiles } = await this.models.pair(dtype);
    const { threads } = this;
    return this.#limits.get(dtype, () =>
      LimitsProbe.start({ buildFolder, threads, files: expertFiles }),
    );
  }

  /** Our engines in one process. */
  async octet(dtype: BenchDtype): Promise<OneProcessOctet> {
    const { shardsDir: dir } = await this.models.pair(dtype);
    return this.#octet.get(dtype, () => {
      this.say(`opening ${dtype} in one process`);
      return OneProcessOctet.open({ dir, threads: this.threads, kvTokens });
    });
  }

  /** @throws {Error} if the two sides do not compute the same */
  async contest(dtype: BenchDtype): Promise<Contest> {
    const octet = await this.octet(dtype);
    const { ggufPath: path } = await this.models.pair(dtype);
    const llama = await this.#llama.get(dtype, () => {
      this.say(`opening ${dtype} in llama.cpp`);
      return Llama.load({ path, threads: this.threads, say: this.say });
    });
    const known = this.#differences.get(dtype);
    const logitsDifference = known ?? (await checkAgreement(octet, llama, this.say));
    this.#differences.set(dtype, logitsDifference);
    return { octet, llama, logitsDifference };
  }

  /** Nine processes of `octet up`. */
  async cluster(dtype: BenchDtype): Promise<BenchCluster> {
    const { shardsDir } = await this.models.pair(dtype);
    return this.#cluster.get(dtype, () => {
      this.say(`starting nine processes with ${dtype}`);
      return BenchCluster.start(shardsDir);
    });
  }

  /** Eight workers, for coordinators of any settings. */
  async sharedWorkers(dtype: BenchDtype): Promise<SharedWorkers> {
    const { shardsDir } = await this.models.pair(dtype);
    return this.#workers.get(dtype, () => {
      this.say(`starting eight workers with ${dtype}`);
      return SharedWorkers.start(shardsDir);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const slot of [this.#workers, this.#cluster, this.#llama, this.#octet, this.#limits]) {
      await slot[Symbol.asyncDispose]();
    }
  }
}
