// Builds dist/sluice.cjs: all of Sluice in one file that needs a Node and no node_modules. CommonJS and
// minified, as that starts fastest and in the least memory. What is compiled for this machine cannot be in it,
// and is beside it: dist/koffi.node.
import { existsSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');
const compiledName = 'koffi.node';
const outfile = process.argv[2] ?? join(root, 'dist/sluice.cjs');

// What `import.meta.url` is in CommonJS, under a name that no source has.
const fileUrl = 'fileUrlOfTheBundle';

await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: `node${await oldestNode()}`,
  minify: true,
  define: { 'import.meta.url': fileUrl },
  banner: {
    js: `${await guard()}const ${fileUrl}=require("node:url").pathToFileURL(__filename).href;`,
  },
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [signInOnly(), exposeOnly(), compiledBeside()],
});
await copyCompiled();

/** The oldest Node that package.json admits. */
async function oldestNode(): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  return manifest.engines.node.replace(/^\D+/, '');
}

/** Ends with one line where Node is older: what is missing there would show as some error anywhere. */
async function guard(): Promise<string> {
  const oldest = await oldestNode();
  const says = `"sluice: needs Node ${oldest} or newer; this is Node "+process.versions.node+"\\n"`;
  const isOld = `"${oldest}".localeCompare(process.versions.node,"en",{numeric:true})>0`;
  return `if(${isOld}){process.stderr.write(${says});process.exit(2)}`;
}

/**
 * Takes of the client library what signs requests in, and nothing else. Its KubeConfig can also make the
 * library's own clients, which Sluice does not use: that part is a thousand generated files and an HTTP
 * library, which would cost 1.2 MB here and the memory to load them on every node.
 */
function signInOnly(): Plugin {
  const leftOut: Readonly<Record<string, readonly string[]>> = {
    './gen/index.js': ['createConfiguration', 'ServerConfiguration'],
    undici: ['Agent', 'ProxyAgent'],
    './middleware.js': ['setHeaderMiddleware'],
  };
  const config = '@kubernetes/client-node/dist/config.js';
  return {
    name: 'sign-in-only',
    setup(bundle) {
      bundle.onResolve({ filter: /^@kubernetes\/client-node$/ }, () => ({
        path: join(root, 'node_modules', config),
      }));
      bundle.onResolve(
        { filter: /^(undici|\.\/gen\/index\.js|\.\/middleware\.js)$/ },
        ({ path, importer }) =>
          importer.endsWith(config) ? { path, namespace: 'left-out' } : undefined,
      );
      bundle.onLoad({ filter: /./, namespace: 'left-out' }, ({ path }) => ({
        contents: (leftOut[path] ?? []).map((name) => stub(name)).join('\n'),
      }));
    },
  };
}

/**
 * Leaves out of the metrics library what sends metrics elsewhere, gathers them from other processes and
 * collects its own: Sluice uses none of it, and a node would hold 4 MB for it.
 */
function exposeOnly(): Plugin {
  return {
    name: 'expose-only',
    setup(bundle) {
      bundle.onResolve(
        { filter: /^\.\/lib\/(pushgateway|cluster|defaultMetrics)$/ },
        ({ path, importer }) =>
          importer.endsWith('prom-client/index.js') ? { path, namespace: 'unused' } : undefined,
      );
      bundle.onLoad({ filter: /./, namespace: 'unused' }, () => ({ contents: '' }));
    },
  };
}

/**
 * Takes of koffi its compiled part alone, from beside the bundle. Where that is missing the import fails, as
 * without the package.
 */
function compiledBeside(): Plugin {
  return {
    name: 'compiled-beside',
    setup(bundle) {
      bundle.onResolve({ filter: /^koffi$/ }, ({ path }) => ({ path, namespace: 'compiled' }));
      bundle.onLoad({ filter: /./, namespace: 'compiled' }, () => ({
        contents: `module.exports = require(__dirname + '/${compiledName}');`,
      }));
    },
  };
}

/** Copies it, for machines such as this one; there is none for a few architectures. */
async function copyCompiled(): Promise<void> {
  const { arch, report } = process;
  const { header } = report.getReport() as { readonly header: { glibcVersionRuntime?: string } };
  const libc = header.glibcVersionRuntime === undefined ? 'musl' : 'linux';
  const folder = join(root, `node_modules/@koromix/koffi-linux-${arch}/${libc}_${arch}`);
  const compiled = join(folder, compiledName);
  if (existsSync(compiled)) await copyFile(compiled, join(dirname(outfile), compiledName));
  else process.stderr.write(`${compiled} is not there: changes by others are found late\n`);
}

/** A function or class that says, where it is used after all, that it is not in the bundle. */
function stub(name: string): string {
  return `export function ${name}() { throw new Error('${name} is not in the bundle'); }`;
}
