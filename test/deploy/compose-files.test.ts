// The compose file and its overlays, as docker compose would merge them.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { coordinatorSettings } from "../../services/coordinator/src/config.ts";
import { expertWorkerSettings } from "../../services/expert-worker/src/config.ts";
import { gatewaySettings } from "../../services/gateway/src/config.ts";

const root = join(import.meta.dirname, "../..");

interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly target?: string };
  readonly environment: Readonly<Record<string, string | null>>;
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly devices?: readonly string[];
  readonly group_add?: readonly string[];
  readonly deploy?: {
    readonly resources: {
      readonly reservations: {
        readonly devices: readonly {
          driver: string;
          device_ids: string[];
          capabilities: string[];
        }[];
      };
    };
  };
}

function readText(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function readCompose(text: string): {
  services: Record<string, ComposeService>;
  networks?: Readonly<Record<string, { readonly internal?: boolean }>>;
} {
  return parse(text, { merge: true });
}

function readServices(path: string): Record<string, ComposeService> {
  return readCompose(readText(path)).services;
}

const base = readServices("docker-compose.yml");
const vendors = ["nvidia", "amd", "intel"] as const;
const overlayOf = (vendor: string) => `deploy/docker/compose.${vendor}.yml`;

test.each(vendors)("the %s overlay gives each service the webgpu engine and one GPU", (vendor) => {
  const overlay = readServices(overlayOf(vendor));
  const computing = Object.keys(base).filter((name) => name !== "gateway");
  expect(Object.keys(overlay)).toEqual(computing);
  for (const [name, service] of Object.entries(overlay)) {
    const variable = `OCTET_GPU_${name.replace("expert-", "").toUpperCase()}`;
    expect(service.environment.OCTET_ENGINE, name).toMatch(/^\$\{OCTET_ENGINE:-webgpu\}$/);
    expect(service.image).toBe(overlay.coordinator!.image);
    // Null passes the variable on where it is set; empty would hide every driver.
    expect(service.environment.VK_DRIVER_FILES).toBeNull();
    if (vendor === "nvidia") {
      const given = service.deploy!.resources.reservations.devices;
      expect(given).toEqual([
        {
          driver: "nvidia",
          device_ids: [expect.stringContaining(variable)],
          capabilities: ["gpu"],
        },
      ]);
      expect(service.environment.NVIDIA_DRIVER_CAPABILITIES).toContain("graphics");
    } else {
      expect(service.devices).toEqual([expect.stringMatching(`{${variable}:-/dev/dri/renderD1`)]);
      expect(service.group_add).toEqual([expect.stringContaining("OCTET_RENDER_GROUP")]);
    }
  }
});

test("each overlay builds a stage of the Dockerfile that has the loader", () => {
  const dockerfile = readText("deploy/docker/Dockerfile");
  const stages = Array.from(dockerfile.matchAll(/^FROM (\S+)(?: AS (\S+))?$/gm));
  for (const vendor of vendors) {
    const { target } = readServices(overlayOf(vendor)).coordinator!.build!;
    const stage = stages.find(([, , name]) => name === target);
    expect(stage, target).toBeDefined();
  }
  expect(dockerfile).toContain("libvulkan1");
  // Built when no target is named, as the base file does.
  expect(stages.at(-1)!.slice(1, 3)).toEqual(["cpu", undefined]);
});

const settingsOf = { coordinator: coordinatorSettings, gateway: gatewaySettings };

test("every service knows the settings that it is given", () => {
  for (const file of ["docker-compose.yml", ...vendors.map(overlayOf)]) {
    for (const [name, { environment }] of Object.entries(readServices(file))) {
      const { shape } = settingsOf[name as keyof typeof settingsOf] ?? expertWorkerSettings;
      const given = Object.keys(environment).filter((key) => key.startsWith("OCTET_"));
      expect(
        given.filter((key) => !(key in shape)),
        `${name} in ${file}`,
      ).toEqual([]);
    }
  }
});

test("every variable of the compose files is in the README's table", () => {
  const readme = readText("deploy/docker/README.md");
  const files = ["docker-compose.yml", ...vendors.map(overlayOf)];
  const used = new Set(
    files.flatMap((file) => Array.from(readText(file).matchAll(/\$\{(\w+)/g), ([, name]) => name!)),
  );
  // One for each expert; the table has the first and the last.
  const missing = [...used]
    .filter((name) => !/^OCTET_GPU_[1-6]$/.test(name))
    .filter((name) => !readme.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});

test("every service has metrics, which no port and no overlay publishes", () => {
  const { networks } = readCompose(readText("docker-compose.yml"));
  expect(networks!.cluster!.internal).toBe(true);
  for (const [name, { environment, ports = [], networks: joined }] of Object.entries(base)) {
    expect(environment.OCTET_ADMIN_LISTEN, name).toMatch(/^0\.0\.0\.0:\d+$/);
    const [served] = environment.OCTET_LISTEN!.match(/\d+$/)!;
    for (const port of ports)
      expect(port, name).toMatch(new RegExp(`^127\\.0\\.0\\.1:.*:${served}$`));
    if (name.startsWith("expert-")) expect([ports, joined]).toEqual([[], ["cluster"]]);
  }
  for (const service of vendors.flatMap((vendor) => Object.values(readServices(overlayOf(vendor)))))
    expect([service.ports, service.environment.OCTET_ADMIN_LISTEN]).toEqual([undefined, undefined]);
});

test("the Prometheus of the docs scrapes every service where it serves metrics", () => {
  const blocks = readText("docs/observability.md").matchAll(/^```yaml\n([\s\S]*?)^```$/gm);
  const [overlay, settings] = Array.from(blocks, ([, text]) => text!);
  const scraper = readCompose(overlay!).services.prometheus!;
  for (const [name, { networks }] of Object.entries(base))
    expect(
      networks!.some((network) => scraper.networks!.includes(network)),
      name,
    ).toBe(true);
  const targets = parse(settings!).scrape_configs.flatMap(
    (job: { static_configs: { targets: string[] }[] }) =>
      job.static_configs.flatMap((config) => config.targets),
  );
  const served = Object.entries(base).map(([name, { environment }]) =>
    environment.OCTET_ADMIN_LISTEN!.replace("0.0.0.0", name),
  );
  expect(targets.toSorted()).toEqual(served.toSorted());
});

/** `docker compose` or its older form, if one is installed. */
function findComposeTool(): string[] | undefined {
  const tools = [["docker", "compose"], ["docker-compose"]];
  return tools.find(([command, ...args]) => {
    return spawnSync(command!, [...args, "version"]).status === 0;
  });
}

test("docker compose itself takes every combination, where it is installed", () => {
  const tool = findComposeTool();
  if (tool === undefined) {
    process.stderr.write("docker compose is not installed: its files were read by yaml alone\n");
  }
  const overlays = vendors.map((vendor) => ["-f", overlayOf(vendor)]);
  const statuses = [[], ...overlays].map((files) => {
    if (tool === undefined) return 0;
    const [command, ...args] = tool;
    const all = [...args, "-f", "docker-compose.yml", ...files, "config", "--quiet"];
    const env = { ...process.env, OCTET_MODEL_DIR: root, OCTET_RENDER_GROUP: "105" };
    return spawnSync(command!, all, { cwd: root, env, stdio: "inherit" }).status;
  });
  expect(statuses).toEqual([0, 0, 0, 0]);
});
