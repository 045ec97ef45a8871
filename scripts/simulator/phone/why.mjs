/*
 * A row of Tomo's timeline in words: what happened, why, and what followed.
 * Words Tomo may learn later are shown as they are.
 */

const EVENTS = {
    follow: ['person', '友だち追加'],
    unfollow: ['block', 'ブロックされた'],
    text: ['chat', 'メッセージが届いた'],
    message: ['chat', 'メッセージが届いた'],
    postback: ['tap', 'ボタンが押された'],
    unsend: ['chat', '送信が取り消された'],
    click: ['link', 'リンクがタップされた'],
    answer: ['form', 'アンケートの回答'],
    send: ['send', 'メッセージを送った'],
    step: ['clock', 'シナリオの時間になった'],
    profile: ['person', 'プロフィールを受け取った'],
    'friend.added': ['rule', '新しい友だち'],
    'friend.returned': ['rule', '友だちが戻ってきた'],
    'tag.added': ['tag', 'タグが付いた'],
    'tag.removed': ['tag', 'タグが外れた'],
    'link.clicked': ['rule', 'リンクのタップ'],
    'survey.answered': ['rule', 'アンケートの回答'],
    'field.changed': ['rule', '項目が変わった'],
    'scenario.started': ['rule', 'シナリオが始まった'],
    'scenario.stopped': ['rule', 'シナリオが止まった'],
    'scenario.finished': ['rule', 'シナリオが終わった'],
    other: ['rule', 'LINE からの知らせ'],
};
const MESSAGE_KINDS = { image: '画像', video: '動画', audio: '音声',
    file: 'ファイル', location: '位置情報', sticker: 'スタンプ' };
const STATUS = { following: '友だち', blocked: 'ブロック中',
    unknown: '友だちかどうか不明' };
const VIA = { reply: '無料の応答', push: 'プッシュ', multicast: 'マルチキャスト',
    profile: 'プロフィールの取得' };
const TITLES = {
    accepted: ['send', 'メッセージを送った'],
    refused: ['block', 'メッセージを送れなかった'],
    unusable: ['block', '応答の期限が切れていた'],
    probably: ['wait', '送った（たぶん届いている）'],
    parked: ['wait', '送信を保留した（人の確認待ち）'],
    cancelled: ['block', '送信をやめた'],
};

/* effect word -> words, and how it looks; id is what stands behind the : */
const EFFECTS = {
    'tag.add': (id, n) => ['good', `${n.quoted('tag', id)}を付けた`],
    'tag.remove': (id, n) => ['plain', `${n.quoted('tag', id)}を外した`],
    'field.set': (id, n) => ['good', `${n.quoted('field', id)}に記入した`],
    'field.clear': (id, n) => ['plain', `${n.quoted('field', id)}を空にした`],
    'scenario.start': (id, n) => ['good',
        `${n.quoted('scenario', id)}を始めた`],
    'scenario.stop': (id, n) => ['plain',
        `${n.quoted('scenario', id)}を終えた`],
    'scenario.refused': (id, n) => ['plain',
        `${n.quoted('scenario', id)}は前に始めたことがあるので始めなかった`],
    'scenario.pause': () => ['plain', '動いているシナリオを止めた'],
    send: (id, n, at) => ['good', at.scenario
        ? `${n.step(at.scenario, id)}を送ることにした`
        : 'メッセージを送ることにした'],
    skip: (id, n, at) => ['plain', skipped(id, n, at)],
    'send.cancelled': (id) => ['bad', id === 'blocked'
        ? 'ブロックされているので送らなかった'
        : '待機中（standby）のチャネルなので送らなかった'],
    'friend.known': () => ['plain', 'ブロックが解けたと分かった'],
    'profile.ask': () => ['plain', 'プロフィールを LINE に尋ねた'],
    status: (id) => ['plain', `状態：${STATUS[id] ?? id}`],
    unsent: () => ['plain', '届いていた文章を消した'],
    ignored: (id) => ['plain', id === 'once'
        ? '回答は 1 人 1 回なので、この回答は使わなかった' : `使わなかった（${id}）`],
    cut: (id) => ['bad', id === 'text' ? '長すぎる文章を LINE の上限で切った'
        : `多すぎたので ${id} 件を取りやめた`],
    more: (id) => ['plain', `ほか ${id} 件`],
    aside: () => ['bad', '大きすぎるので隔離した'],
    accepted: (id) => ['good', `${VIA[id] ?? id}で届けた`],
    refused: (id) => ['bad', `LINE が受け付けなかった（${VIA[id] ?? id}）`],
    unusable: () => ['bad', '応答の期限が切れていたのでプッシュに切り替える'],
    probably: (id) => ['plain', `${VIA[id] ?? id}：返事がなかったが届いたはず`],
    parked: () => ['bad', '23 時間送れなかったので保留にした'],
    cancelled: () => ['bad', '送る前に取りやめになった'],
};

function skipped(id, names, at) {
    const step = at.scenario ? names.step(at.scenario, id) : `「${id}」`;
    const only = at.scenario && names.condition(at.scenario, id);
    return only ? `${step}は送らなかった：「${only}」人だけに送る決まりだから`
        : `${step}は条件に合わないので送らなかった`;
}

function split(effect) {
    const at = effect.indexOf(':');
    return at < 0 ? [effect, ''] : [effect.slice(0, at), effect.slice(at + 1)];
}

function effect_words(effect, names, at) {
    const [word, id] = split(effect);
    const [look, text] = Object.hasOwn(EFFECTS, word)
        ? EFFECTS[word](id, names, at) : ['plain', effect];
    return { look, text };
}

/* Event ids: LINE's, a journal's WRITER-SEQ.i, a moment of the schedule. */
function is_event_id(word) {
    return /^([0-9A-Z]{26}|[0-9a-f]{16}-\d+\.\d+|timer:.+?)(\.\d+)*$/
        .test(word);
}

function event_title(row, names) {
    const [, title] = EVENTS[row.kind] ?? ['rule', row.kind];
    const what = row.why.find((word) => !is_event_id(word));
    if (row.kind === 'message') {
        return `${MESSAGE_KINDS[what] ?? 'メッセージ'}が届いた`;
    }
    const kinds = { click: 'link', answer: 'survey', step: 'scenario' };
    if (what && kinds[row.kind]) {
        return { click: `${names.quoted('link', what)}がタップされた`,
            answer: `${names.quoted('survey', what)}に回答した`,
            step: `${names.quoted('scenario', what)}の時間になった`,
        }[row.kind];
    }
    return title;
}

/* Which scenario a row is about, for the steps its effects name. */
function scenario_of(row) {
    if (row.kind === 'step') {
        return row.why.find((word) => !is_event_id(word));
    }
    const words = [...row.why, ...row.effects];
    return words.map((word) => /^(?:scenario\/|scenario\.start:)(.+)$/
        .exec(word)?.[1]).find(Boolean);
}

/* [{text, event: id or undefined}], from the beginning to the end. */
function chain(row, names, by_id) {
    const links = [];
    let scenario;
    for (const word of row.why) {
        const [kind, id] = word.split('/', 2);
        if (is_event_id(word)) {
            links.push(...origin(word, names, by_id));
        } else if (id !== undefined) {
            scenario = kind === 'scenario' ? id : scenario;
            links.push({ text: names.quoted(kind, id) });
        } else if (scenario) {
            links.push({ text: names.step(scenario, word) });
        } else if (row.kind === 'send') {
            links.push({ text: word });
        }
    }
    return links;
}

/* The event that began it, through the events derived from it. */
function origin(id, names, by_id) {
    const row = by_id.get(id);
    const parent = /^(.+)\.\d+$/.exec(id)?.[1];
    if (row && row.why.some((word) => word === parent) && by_id.has(parent)) {
        return origin(parent, names, by_id);
    }
    return [{ text: row ? event_title(row, names) : '以前のできごと',
        event: row ? id : undefined }];
}

/* {icon, title, look, quote, chain, effects} of a row. */
export function explain(row, names, by_id) {
    const at = { scenario: scenario_of(row) };
    const [mark] = EVENTS[row.kind] ?? ['rule'];
    const verdict = row.kind === 'send'
        ? TITLES[split(row.effects[0] ?? '')[0]] : undefined;
    return {
        icon: verdict?.[0] ?? mark,
        title: verdict?.[1] ?? event_title(row, names),
        look: row.kind === 'send' ? 'sent'
            : ['step', 'tag.added', 'tag.removed'].includes(row.kind)
              || row.kind.includes('.') ? 'decided' : 'came',
        quote: row.text,
        chain: chain(row, names, by_id),
        effects: row.effects.map((one) => effect_words(one, names, at)),
    };
}

/* Ids a story names: when one is unknown, the names are read again. */
export function is_known(row, names) {
    return [...row.why, ...row.effects].every((word) => {
        const [kind, id] = /^(tag|field|scenario)[./]/.test(word)
            ? [word.split(/[./]/)[0], word.split(/[:/]/)[1]] : [];
        return !id || names.document(kind, id) !== undefined;
    });
}
