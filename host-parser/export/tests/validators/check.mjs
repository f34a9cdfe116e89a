// check.mjs NODE_MODULES FORMS: reads the two files for github-action-benchmark with zod, by the five fields of its own schema
// (`extract.ts`, version 1.22).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [modules, forms] = process.argv.slice(2);
const { z } = createRequire(resolve(modules, 'package.json'))('zod');
const schema = z.array(z.object({
  name: z.string(), unit: z.string(), value: z.number(), range: z.string().optional(), extra: z.string().optional(),
}).strict()).min(1);
for (const name of ['github-action-benchmark.txt', 'github-action-benchmark-smaller.txt']) {
  const entries = schema.parse(JSON.parse(readFileSync(join(forms, name), 'utf8')));
  console.log(`${name}: ${entries.length} entries`);
}
