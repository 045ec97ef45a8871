// Makes a screenshot small: at most 256 colours, as a palette, with the
// filter that suits flat pages. Node's zlib is all it takes.

import zlib, { deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
const MAX_COLOURS = 256;
const EXACT = 56;

function* chunks(png) {
    for (let at = 8; at < png.length;) {
        const length = png.readUInt32BE(at);
        yield [png.toString('latin1', at + 4, at + 8), png.subarray(at + 8, at + 8 + length)];
        at += 12 + length;
    }
}

// 8-bit RGB or RGBA without interlacing, as browsers write it.
function read(png) {
    let head;
    const data = [];
    for (const [type, body] of chunks(png)) {
        if (type === 'IHDR') head = body;
        if (type === 'IDAT') data.push(body);
    }
    const width = head.readUInt32BE(0);
    const height = head.readUInt32BE(4);
    const channels = head[9] === 6 ? 4 : 3;
    const raw = inflateSync(Buffer.concat(data));
    return { width, height, channels, pixels: unfilter(raw, width * channels, height, channels) };
}

function unfilter(raw, stride, height, step) {
    const out = Buffer.alloc(stride * height);
    for (let y = 0; y < height; y++) {
        const filter = raw[y * (stride + 1)];
        for (let x = 0; x < stride; x++) {
            const left = x >= step ? out[y * stride + x - step] : 0;
            const up = y > 0 ? out[(y - 1) * stride + x] : 0;
            const corner = x >= step && y > 0 ? out[(y - 1) * stride + x - step] : 0;
            const add = [0, left, up, left + up >> 1, paeth(left, up, corner)][filter];
            out[y * stride + x] = raw[y * (stride + 1) + 1 + x] + add;
        }
    }
    return out;
}

function paeth(a, b, c) {
    const p = a + b - c;
    const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
    return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// The colours that stand there most stay as they are. The rest by median cut:
// the box with the widest side, weighed by how often its colours stand there, is
// cut at its middle.
function palette(counts) {
    const all = [...counts].map(([key, n]) => ({ rgb: [key >> 16, key >> 8 & 255, key & 255], n }))
        .sort((a, b) => b.n - a.n);
    const exact = all.slice(0, EXACT).map((one) => [one]);
    return all.length <= EXACT ? exact
        : [...exact, ...median_cut(all.slice(EXACT), MAX_COLOURS - EXACT)];
}

function median_cut(colours, most) {
    const boxes = [colours];
    const side = (box) => {
        const widths = [0, 1, 2].map((i) => {
            const all = box.map((one) => one.rgb[i]);
            return all.reduce((m, v) => Math.max(m, v), 0) - all.reduce((m, v) => Math.min(m, v),
                255);
        });
        const widest = widths.indexOf(Math.max(...widths));
        const total = box.reduce((sum, one) => sum + one.n, 0);
        return { axis: widest, width: box.length > 1 ? widths[widest] * Math.sqrt(total) : 0 };
    };
    const sides = [side(boxes[0])];
    while (boxes.length < most) {
        const i = sides.reduce((best, one, k) => one.width > sides[best].width ? k : best, 0);
        if (sides[i].width === 0) break;
        const box = boxes[i].sort((a, b) => a.rgb[sides[i].axis] - b.rgb[sides[i].axis]);
        const total = box.reduce((sum, one) => sum + Math.sqrt(one.n), 0);
        let cut = 1;
        for (let sum = Math.sqrt(box[0].n); cut < box.length - 1 && sum < total / 2; cut++) {
            sum += Math.sqrt(box[cut].n);
        }
        boxes.push(box.slice(cut));
        boxes[i] = box.slice(0, cut);
        sides[i] = side(boxes[i]);
        sides.push(side(boxes.at(-1)));
    }
    return boxes;
}

function mean(box) {
    const total = box.reduce((sum, one) => sum + one.n, 0);
    return [0, 1, 2].map((i) => Math.round(box.reduce((s, one) => s + one.rgb[i] * one.n, 0)
        / total));
}

function chunk(type, body) {
    const out = Buffer.alloc(body.length + 12);
    out.writeUInt32BE(body.length, 0);
    out.write(type, 4, 'latin1');
    body.copy(out, 8);
    out.writeUInt32BE(checksum(out.subarray(4, 8 + body.length)), 8 + body.length);
    return out;
}

// Node has crc32 since 20.15 and 22.2.
function checksum(data) {
    if (zlib.crc32) return zlib.crc32(data);
    let crc = ~0;
    for (const byte of data) {
        crc ^= byte;
        for (let i = 0; i < 8; i++) crc = crc >>> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
}

export function smaller(png) {
    const { width, height, channels, pixels } = read(png);
    const key = (i) => pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2];
    const counts = new Map();
    for (let i = 0; i < pixels.length; i += channels) {
        counts.set(key(i), (counts.get(key(i)) ?? 0) + 1);
    }
    const boxes = palette(counts);
    const place = new Map(boxes.flatMap((box, n) => box.map(({ rgb: [r, g, b] }) => [
        r << 16 | g << 8 | b, n])));
    const rows = Buffer.alloc((width + 1) * height);
    for (let y = 0, i = 0; y < height; y++) {
        for (let x = 0; x < width; x++, i += channels) {
            rows[y * (width + 1) + 1 + x] = place.get(key(i));
        }
    }
    const head = Buffer.alloc(13);
    head.writeUInt32BE(width, 0);
    head.writeUInt32BE(height, 4);
    head.set([8, 3, 0, 0, 0], 8);
    return Buffer.concat([SIGNATURE, chunk('IHDR', head),
        chunk('PLTE', Buffer.from(boxes.flatMap(mean))),
        chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
        chunk('IEND', Buffer.alloc(0))]);
}
