/*
 * The sandbox clock: real time plus one offset that edge, worker and
 * simulator read from the same file.  The simulator never writes it.
 *
 * DIR/clock holds one little-endian signed 64-bit number of milliseconds;
 * a missing or short file means 0.  It is read afresh on each use, so that
 * an advance is seen by the very next request.
 */

import fs from 'node:fs';

export class Clock {
    constructor(path) {
        this.path = path;
        this.buf = Buffer.alloc(8);
    }

    offset_ms() {
        let fd;
        try {
            fd = fs.openSync(this.path, 'r');
        } catch {
            return 0;
        }
        try {
            const n = fs.readSync(fd, this.buf, 0, 8, 0);
            return n === 8 ? Number(this.buf.readBigInt64LE(0)) : 0;
        } finally {
            fs.closeSync(fd);
        }
    }

    now_ms() {
        return Date.now() + this.offset_ms();
    }
}
