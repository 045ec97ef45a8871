/*
 * The sandbox clock: real time plus one offset that edge, worker and
 * simulator read from the same file.  The simulator never writes it.
 *
 * DIR/clock holds one little-endian signed 64-bit number of milliseconds;
 * a missing or short file means 0.  It is read afresh in every turn of the
 * event loop, so the very next request sees an advance; within one turn the
 * offset stays, because a request asks for the time several times.
 */

import fs from 'node:fs';

export class Clock {
    constructor(path) {
        this.path = path;
        this.buf = Buffer.alloc(8);
        this.fd = -1;
        this.inode = undefined;
        this.offset_ms = undefined;
        this.forget = () => {
            this.offset_ms = undefined;
        };
    }

    now_ms() {
        if (this.offset_ms === undefined) {
            this.offset_ms = this.#read();
            setImmediate(this.forget);
        }
        return Date.now() + this.offset_ms;
    }

    #read() {
        const found = fs.statSync(this.path, { throwIfNoEntry: false });
        if (!found || found.size < 8) {
            return 0;
        }
        if (found.ino !== this.inode) {
            this.#open();
        }
        const n = fs.readSync(this.fd, this.buf, 0, 8, 0);
        return n === 8 ? Number(this.buf.readBigInt64LE(0)) : 0;
    }

    /* The file is new, or another one took its name. */
    #open() {
        if (this.fd >= 0) {
            fs.closeSync(this.fd);
            this.fd = -1;
        }
        this.fd = fs.openSync(this.path, 'r');
        this.inode = fs.fstatSync(this.fd).ino;
    }
}
