// check.mjs NODE_MODULES CHROMIUM FILE...: opens each report in a browser and fails if one is not as it should be.
//
// In both colour schemes, at 400 and 1,200 pixels: nothing is requested, every drawing has ink, no two texts of a drawing
// overlap, the page is not wider than the screen, and axe-core finds nothing. On paper, what is folded is open. Pictures are
// left beside the files.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [modules, chromium, ...files] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const puppeteer = require('puppeteer-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const problems = [];
const browser = await puppeteer.launch({
  executablePath: chromium, headless: true, args: ['--no-sandbox', '--disable-gpu'],
});
const canvas = await browser.newPage();

// How many pixels of a picture differ from its first one.
async function ink(png) {
  return canvas.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const area = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const context = area.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    let differ = 0;
    for (let at = 0; at < data.length; at += 4) {
      const far = [0, 1, 2].reduce((sum, c) => sum + Math.abs(data[at + c] - data[c]), 0);
      if (far > 60) differ += 1;
    }
    return differ;
  }, png);
}

// The texts of a page's drawings that overlap, by their middle 70 %: a box has room above and below its letters.
function overlaps() {
  const found = [];
  for (const drawing of document.querySelectorAll('figure > svg')) {
    const boxes = [...drawing.querySelectorAll('text')].map((text) => {
      const { left, right, top, height } = text.getBoundingClientRect();
      return { text: text.textContent, left, right, top: top + height * 0.15, bottom: top + height * 0.85 };
    });
    for (const [number, one] of boxes.entries()) {
      for (const other of boxes.slice(number + 1)) {
        const apart = one.right <= other.left + 1 || other.right <= one.left + 1
          || one.bottom <= other.top || other.bottom <= one.top;
        if (!apart) found.push(`"${one.text}" and "${other.text}"`);
      }
    }
  }
  return found;
}

async function look(file, scheme, width) {
  const place = `${file}, ${scheme}, ${width}`;
  const page = await browser.newPage();
  await page.setViewport({ width, height: 900 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => problems.push(`${place}: the browser reports: ${message.text()}`));
  await page.goto(`file://${file}`);
  if (requests.length !== 1) problems.push(`${place}: requests: ${requests.slice(1).join(' ')}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  if (wide > width) problems.push(`${place}: is ${wide} pixels wide`);
  for (const text of await page.evaluate(overlaps)) problems.push(`${place}: texts overlap: ${text}`);
  for (const drawing of await page.$$('figure > svg')) {
    const name = await drawing.evaluate((svg) => svg.closest('figure').querySelector('h4').textContent);
    const pixels = await ink(await drawing.screenshot({ encoding: 'base64' }));
    if (pixels < 200) problems.push(`${place}: ${name}: ${pixels} pixels of ink`);
  }
  await page.screenshot({ path: file.replace(/\.html$/, `-${scheme}-${width}.png`), fullPage: true });
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, help, nodes } of violations) {
    problems.push(`${place}: axe: ${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ')}`);
  }
  await page.close();
}

async function print(file) {
  const page = await browser.newPage();
  await page.goto(`file://${file}`);
  await page.emulateMediaType('print');
  const folded = await page.evaluate(() => [...document.querySelectorAll('details:not([open])')]
    .filter((details) => details.getBoundingClientRect().height < details.querySelector('summary').getBoundingClientRect().height + 8)
    .map((details) => details.querySelector('summary').textContent));
  for (const name of folded) problems.push(`${file}, printed: "${name}" is folded`);
  await page.close();
}

for (const file of files) {
  for (const scheme of ['light', 'dark']) for (const width of [400, 1200]) await look(file, scheme, width);
  await print(file);
}
await browser.close();
for (const problem of problems) console.error(problem);
console.log(`${files.length} reports, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
