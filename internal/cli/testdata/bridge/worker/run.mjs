// Runs the worker whose entry is the first argument in workerd, on the port given by the
// second. Its variables come from the environment.
import { build } from "esbuild";
import { Miniflare } from "miniflare";

const [entry, port] = process.argv.slice(2);
const { outputFiles } = await build({ entryPoints: [entry], bundle: true, format: "esm", conditions: ["workerd", "worker"], write: false, nodePaths: ["node_modules"] });
const bindings = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("CLERK_")));
const worker = new Miniflare({ modules: true, script: outputFiles[0].text, compatibilityDate: "2026-07-30", host: "127.0.0.1", port: Number(port), bindings });
await worker.ready;
console.log("ready");
