/*
 * A private certificate authority and one certificate for LINE's two hosts,
 * made once per folder with the openssl command.  The CA's key is thrown
 * away after signing: DIR/ca.pem can vouch for nothing else.
 */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const DAYS = '3650';
const HOSTS = 'DNS:api.line.me,DNS:api-data.line.me';

/* Returns {key, cert} in PEM; ca.pem lies in dir, the rest in dir/sim. */
export function load_certificate(dir) {
    const own = path.join(dir, 'sim');
    const ca = path.join(dir, 'ca.pem');
    const cert = path.join(own, 'line.crt');
    const key = path.join(own, 'line.key');
    if (![ca, cert, key].every((file) => fs.existsSync(file))) {
        make(own, ca, cert, key);
    }
    return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

function make(own, ca, cert, key) {
    fs.mkdirSync(own, { recursive: true, mode: 0o700 });
    const ca_key = path.join(own, 'ca.key');
    const request = path.join(own, 'line.csr');
    const extensions = path.join(own, 'line.ext');

    const new_key = ['req', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:prime256v1', '-nodes', '-sha256'];

    openssl([...new_key, '-x509', '-days', DAYS, '-keyout', ca_key,
        '-out', ca, '-subj', '/CN=LINE simulator sandbox CA',
        '-addext', 'basicConstraints=critical,CA:TRUE',
        '-addext', 'keyUsage=critical,keyCertSign,cRLSign']);
    openssl([...new_key, '-keyout', key, '-out', request,
        '-subj', '/CN=api.line.me']);
    fs.writeFileSync(extensions, `subjectAltName=${HOSTS}\n`
        + 'basicConstraints=critical,CA:FALSE\n'
        + 'keyUsage=critical,digitalSignature\n'
        + 'extendedKeyUsage=serverAuth\n');
    openssl(['x509', '-req', '-in', request, '-CA', ca, '-CAkey', ca_key,
        '-CAcreateserial', '-CAserial', path.join(own, 'ca.srl'),
        '-days', DAYS, '-sha256', '-extfile', extensions, '-out', cert]);

    for (const file of [ca_key, request, extensions]) {
        fs.rmSync(file, { force: true });
    }
    fs.rmSync(path.join(own, 'ca.srl'), { force: true });
    fs.chmodSync(key, 0o600);
    fs.chmodSync(ca, 0o644);
}

function openssl(args) {
    try {
        execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (error) {
        const why = error.code === 'ENOENT'
            ? 'the openssl command is missing; install the package openssl'
            : String(error.stderr ?? error.message).trim();
        throw new Error(`cannot make the sandbox certificate: ${why}`);
    }
}
