/* Asking the simulator.  A fault comes as an Error whose message tells a
   person what to do. */

const GONE = 'シミュレーターが応答しません。scripts/run が動いているか確かめて'
    + 'ください。動き出すと、この画面は自動でつながります。';
const SAID = [
    [/^this person has blocked/, 'この人はアカウントをブロックしています。'
        + '「ブロックを解除」を押すと、また操作できます。'],
    [/^this person has not blocked/, 'この人はブロックしていません。'],
    [/^nobody has this/, 'この人は見つかりません。画面を読み込み直してください。'],
    [/^no such message/, 'このメッセージは、もう取り消されています。'],
];

export async function call(method, path, body) {
    let response;
    let value;
    try {
        response = await fetch(path, {
            method,
            headers: body === undefined
                ? {} : { 'content-type': 'application/json' },
            body: body === undefined ? undefined : JSON.stringify(body),
        });
        value = await response.json();
    } catch {
        throw new Error(GONE);
    }
    if (!response.ok) {
        const said = String(value?.error ?? response.status);
        const known = SAID.find(([pattern]) => pattern.test(said));
        throw new Error(known ? known[1] : said);
    }
    return value;
}

export const get = (path) => call('GET', path);
export const post = (path, body = {}) => call('POST', path, body);

/* An act of a person; tells when the webhook did not arrive. */
export function act(user_id, what, body) {
    return post(`/sim/friends/${user_id}/${what}`, body);
}
