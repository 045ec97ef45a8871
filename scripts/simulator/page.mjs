/* The page at `/`: what the simulator is, who is there, which calls exist. */

const SHOWN = 200;

const CALLS = [
    ['POST /sim/friends', '{"display_name":"…"}',
        '友だち追加（follow イベント）'],
    ['POST /sim/friends/{user_id}/text', '{"text":"…"}',
        'メッセージを送る'],
    ['POST /sim/friends/{user_id}/postback', '{"data":"…"}',
        'ボタンを押す（postback イベント）'],
    ['POST /sim/friends/{user_id}/block', '', 'ブロックする'],
    ['POST /sim/friends/{user_id}/unblock', '', 'ブロックを解除する'],
    ['GET /sim/friends', '', '友だちの一覧'],
    ['GET /sim/friends/{user_id}/inbox', '', '届いたメッセージ'],
    ['GET /sim/requests?after=N', '', 'LINE API への呼び出しの記録'],
    ['POST /sim/faults', '[{"path":"…","share":0.1,"kind":"500"}]',
        '障害を起こす'],
    ['POST /sim/quota', '{"value":200}', '月間の送信上限（null で無制限）'],
    ['POST /sim/verify', '', 'webhook の接続確認（空のイベント）'],
    ['GET /sim/state', '', '状態'],
];

export function page(bot, friends) {
    const rows = friends.slice(-SHOWN).reverse().map((one) => `
      <tr><td>${escape(one.display_name)}</td>
      <td><a href="/sim/friends/${one.user_id}/inbox"><code>${one.user_id}</code></a></td>
      <td>${one.status === 'following' ? '友だち' : 'ブロック中'}</td>
      <td>${one.inbox.length}</td></tr>`).join('');
    const calls = CALLS.map(([call, body, what]) => `
      <tr><td><code>${escape(call)}</code></td>
      <td><code>${escape(body)}</code></td><td>${escape(what)}</td></tr>`)
        .join('');

    return `<!doctype html>
<html lang="ja">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>LINE シミュレーター</title>
  <style>
    body { font-family: sans-serif; margin: 1.5rem auto; max-width: 60rem;
           padding: 0 1rem; line-height: 1.6; }
    table { border-collapse: collapse; width: 100%; }
    th, td { border-bottom: 1px solid #ccc; padding: .3rem .5rem;
             text-align: left; vertical-align: top;
             overflow-wrap: anywhere; }
  </style>
</head>
<body>
  <h1>LINE シミュレーター</h1>
  <p>このサーバーは、アカウント「${escape(bot.account)}」のための LINE の代役です。
  本物の LINE には接続しません。友だちの操作は webhook として届き、
  アカウントが送ったメッセージは下の受信箱に入ります。</p>
  <h2>友だち（${friends.length} 人）</h2>
  <table><thead><tr><th>名前</th><th>user_id（受信箱）</th><th>状態</th>
  <th>受信</th></tr></thead><tbody>${rows}</tbody></table>
  <h2>呼び出し</h2>
  <table><thead><tr><th>呼び出し</th><th>本文</th><th>はたらき</th></tr></thead>
  <tbody>${calls}</tbody></table>
</body>
</html>
`;
}

function escape(text) {
    return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
