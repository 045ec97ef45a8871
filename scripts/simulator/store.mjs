/*
 * Persistence: one append-only file of JSON lines.  Every record has a kind
 * `k`; the subject that wrote it registers how to apply it, and applying is
 * the same code at run time and at replay.
 *
 * A record is written before the answer that depends on it leaves, so what a
 * client was told survives a kill of the simulator.  No fsync: the
 * simulator's data is not worth a disk's wait.
 */

import fs from 'node:fs';
import path from 'node:path';

const CHUNK_BYTES = 1 << 20;

export class Store {
    constructor(file) {
        this.file = file;
        this.appliers = new Map();
        this.fd = -1;
    }

    on(kind, apply) {
        this.appliers.set(kind, apply);
    }

    /* Replays the file, drops a torn last line, and opens it for writing. */
    open() {
        fs.mkdirSync(path.dirname(this.file), { recursive: true });
        this.fd = fs.openSync(this.file, 'a+', 0o600);
        const whole_bytes = this.#replay();
        if (fs.fstatSync(this.fd).size > whole_bytes) {
            fs.ftruncateSync(this.fd, whole_bytes);
        }
    }

    #replay() {
        const chunk = Buffer.alloc(CHUNK_BYTES);
        let rest = Buffer.alloc(0);
        let offset = 0;
        let whole_bytes = 0;
        for (;;) {
            const n = fs.readSync(this.fd, chunk, 0, CHUNK_BYTES, offset);
            if (n === 0) {
                return whole_bytes;
            }
            offset += n;
            let data = Buffer.concat([rest, chunk.subarray(0, n)]);
            for (let end; (end = data.indexOf(10)) >= 0;) {
                this.#apply_line(data.toString('utf8', 0, end));
                data = data.subarray(end + 1);
                whole_bytes += end + 1;
            }
            rest = Buffer.from(data);
        }
    }

    #apply_line(line) {
        let record;
        try {
            record = JSON.parse(line);
        } catch {
            throw new Error(`${this.file}: a line is not JSON; move the `
                + 'file away to start with nobody known');
        }
        const apply = this.appliers.get(record.k);
        if (apply) {
            apply(record);
        }
    }

    /* Writes one record and applies it. */
    commit(record) {
        const line = Buffer.from(JSON.stringify(record) + '\n');
        for (let done = 0; done < line.length;) {
            done += fs.writeSync(this.fd, line, done);
        }
        return this.appliers.get(record.k)(record);
    }

    close() {
        if (this.fd >= 0) {
            fs.closeSync(this.fd);
            this.fd = -1;
        }
    }
}
