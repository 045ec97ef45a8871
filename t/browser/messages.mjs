// One of every message LINE documents (LINE.md 22 and 23), with a coffee
// shop's words.

const img = (name) => `https://img.example.com/${name}`;
const page = 'https://www.example.com/menu/';

const drip = { type: 'bubble',
    hero: { type: 'image', url: img('bean-hero'), size: 'full', aspectRatio: '20:13',
        aspectMode: 'cover', action: { type: 'uri', uri: page } },
    body: { type: 'box', layout: 'vertical', spacing: 'md', contents: [
        { type: 'text', text: '今月の豆', color: '#197a4b', size: 'sm', weight: 'bold' },
        { type: 'text', text: 'エチオピア イルガチェフェ', weight: 'bold', size: 'xl', wrap: true },
        { type: 'box', layout: 'baseline', spacing: 'sm', contents: [
            { type: 'icon', url: img('star'), size: 'sm' },
            { type: 'icon', url: img('star'), size: 'sm' },
            { type: 'text', text: '4.8', size: 'sm', color: '#666666', flex: 0 },
            { type: 'filler' } ] },
        { type: 'separator', margin: 'lg' },
        { type: 'box', layout: 'vertical', margin: 'lg', spacing: 'sm', contents: [
            { type: 'box', layout: 'baseline', spacing: 'sm', contents: [
                { type: 'text', text: '風味', color: '#666666', size: 'sm', flex: 1 },
                { type: 'text', text: 'ジャスミン、レモンの皮、はちみつ', wrap: true, size: 'sm',
                    flex: 4 } ] },
            { type: 'box', layout: 'baseline', spacing: 'sm', contents: [
                { type: 'text', text: '価格', color: '#666666', size: 'sm', flex: 1 },
                { type: 'text', size: 'sm', flex: 4, text: ' ', contents: [
                    { type: 'span', text: '1,480円 ', weight: 'bold', size: 'md' },
                    { type: 'span', text: '1,680円', decoration: 'line-through',
                        color: '#666666' } ] } ] } ] } ] },
    footer: { type: 'box', layout: 'vertical', spacing: 'sm', contents: [
        { type: 'button', style: 'primary', color: '#197a4b', height: 'sm',
            action: { type: 'uri', label: 'くわしく見る', uri: page } },
        { type: 'button', style: 'secondary', height: 'sm',
            action: { type: 'postback', label: '取り置きする', data: 'keep=yirga',
                displayText: '取り置きをお願いします' } },
        { type: 'button', style: 'link', height: 'sm',
            action: { type: 'message', label: 'ほかの豆を聞く', text: 'ほかの豆を教えて' } } ] },
    styles: { footer: { separator: true } } };

const coupon = (head, name, from, to) => ({ type: 'bubble', size: 'micro',
    header: { type: 'box', layout: 'vertical', paddingAll: 'lg', background: {
        type: 'linearGradient', angle: '135deg', startColor: from, endColor: to },
    contents: [ { type: 'text', text: head, color: '#ffffff', size: 'xxl', weight: 'bold',
        align: 'center' } ] },
    body: { type: 'box', layout: 'vertical', contents: [
        { type: 'text', text: name, size: 'sm', wrap: true, maxLines: 2 },
        { type: 'box', layout: 'vertical', margin: 'md', height: '8px',
            backgroundColor: '#e6e6e6', cornerRadius: 'md', contents: [
                { type: 'box', layout: 'vertical', width: '70%', height: '8px',
                    backgroundColor: to, contents: [ { type: 'filler' } ] } ] },
        { type: 'text', text: 'あと7日', size: 'xs', color: '#666666', margin: 'sm',
            align: 'end' } ] },
    action: { type: 'postback', label: `${name}を使う`, data: `use=${head}`,
        displayText: `${name}を使います` } });

const layered = { type: 'bubble', size: 'kilo', direction: 'ltr', body: { type: 'box',
    layout: 'vertical', paddingAll: 'none', contents: [
        { type: 'image', url: img('cake-night'), size: 'full', aspectMode: 'cover',
            aspectRatio: '3:2', gravity: 'top' },
        { type: 'box', layout: 'vertical', position: 'absolute', offsetBottom: '0px',
            offsetStart: '0px', offsetEnd: '0px', backgroundColor: '#3b2418ee',
            paddingAll: 'lg', contents: [
                { type: 'text', text: '夜カフェ 金・土 21時まで', color: '#ffffff', weight: 'bold' },
                { type: 'box', layout: 'horizontal', justifyContent: 'space-between',
                    margin: 'sm', contents: [
                        { type: 'text', text: '焼きたてタルト', color: '#f0dccb', size: 'sm',
                            flex: 0 },
                        { type: 'text', text: '予約する', color: '#ffffff', size: 'sm', flex: 0,
                            decoration: 'underline', action: { type: 'datetimepicker',
                                label: '予約する', data: 'book', mode: 'datetime',
                                initial: '2027-01-10t19:00', min: '2027-01-01t00:00',
                                max: '2027-12-31t23:59' } } ] } ] },
        { type: 'box', layout: 'vertical', position: 'absolute', offsetTop: '12px',
            offsetStart: '12px', backgroundColor: '#b3261e', cornerRadius: 'xl',
            paddingStart: 'lg', paddingEnd: 'lg', paddingTop: 'xs', paddingBottom: 'xs',
            contents: [ { type: 'text', text: '新作', color: '#ffffff', size: 'xs' } ] } ] } };

export const messages = {
    text: { type: 'text', text: 'こもれび珈琲です。\nメニューは https://www.example.com/menu/ へ。' },
    emoji: { type: 'text', text: '$ いらっしゃいませ $', emojis: [
        { index: 0, productId: '5ac1bfd5040ab15980c9b435', emojiId: '001' },
        { index: 11, productId: '5ac1bfd5040ab15980c9b435', emojiId: '002' } ] },
    textV2: { type: 'textV2', text: '{cup} 本日の一杯 {{深煎り}}', substitution: {
        cup: { type: 'emoji', productId: '5ac1bfd5040ab15980c9b435', emojiId: '003' } } },
    sticker: { type: 'sticker', packageId: '446', stickerId: '1988' },
    image: { type: 'image', originalContentUrl: img('cup-big'), previewImageUrl: img('cup') },
    missing: { type: 'image', originalContentUrl: img('missing'),
        previewImageUrl: img('missing') },
    video: { type: 'video', originalContentUrl: img('drip.mp4'),
        previewImageUrl: img('bean-film') },
    audio: { type: 'audio', originalContentUrl: img('hello.m4a'), duration: 63000 },
    location: { type: 'location', title: 'こもれび珈琲 本店',
        address: '東京都武蔵野市御殿山1-1', latitude: 35.7002, longitude: 139.5747 },
    imagemap: { type: 'imagemap', baseUrl: img('map-cake'), altText: '季節のごあんない',
        baseSize: { width: 1040, height: 585 }, actions: [
            { type: 'uri', label: 'カタログを開く', linkUri: page,
                area: { x: 0, y: 0, width: 520, height: 585 } },
            { type: 'message', label: '焼き菓子を聞く', text: '焼き菓子を教えて',
                area: { x: 520, y: 0, width: 520, height: 585 } } ] },
    buttons: { type: 'template', altText: 'ご予約', template: { type: 'buttons',
        thumbnailImageUrl: img('cup-table'), imageAspectRatio: 'rectangle', imageSize: 'cover',
        title: 'お席のご予約', text: 'ご希望の日をお選びください。',
        defaultAction: { type: 'uri', label: '店内を見る', uri: page }, actions: [
            { type: 'datetimepicker', label: '日付を選ぶ', data: 'seat', mode: 'date',
                min: '2027-01-01', max: '2027-12-31' },
            { type: 'postback', label: '空席を見る', data: 'seats=today',
                displayText: '今日の空席は？' },
            { type: 'message', label: '電話で予約', text: '電話で予約したい' },
            { type: 'clipboard', label: '合言葉をコピー', clipboardText: 'こもれび2027' } ] } },
    confirm: { type: 'template', altText: '確認', template: { type: 'confirm',
        text: '本日18時に2名さまで承ります。よろしいですか？', actions: [
            { type: 'message', label: 'はい', text: 'はい' },
            { type: 'postback', label: 'いいえ', data: 'no' } ] } },
    carousel: { type: 'template', altText: '豆の一覧', template: { type: 'carousel',
        imageAspectRatio: 'square', columns: ['ブレンド', '中煎り', '深煎り'].map((name, i) => ({
            thumbnailImageUrl: img(`bean-${i}`), title: `こもれび${name}`,
            text: 'やさしい苦みと甘い余韻。100g 780円', actions: [
                { type: 'uri', label: `${name}を見る`, uri: `${page}${i}` },
                { type: 'postback', label: `${name}を注文`, data: `order=${i}`,
                    displayText: `${name}をください` } ] })) } },
    image_carousel: { type: 'template', altText: '店内', template: { type: 'image_carousel',
        columns: [
            { imageUrl: img('cup-window'), action: { type: 'uri', label: '窓ぎわの席',
                uri: page } },
            { imageUrl: img('cake-case'), action: { type: 'message', label: 'ケーキ',
                text: 'ケーキを見たい' } } ] } },
    flex: { type: 'flex', altText: '今月の豆', contents: drip },
    flex_carousel: { type: 'flex', altText: 'クーポン', contents: { type: 'carousel', contents: [
        coupon('10%', 'コーヒー豆', '#27613f', '#197a4b'),
        coupon('100円', 'ケーキセット', '#9c4a1e', '#8a4b2f'),
        coupon('1杯', 'お友だち紹介', '#4a4a9c', '#3d3d84') ] } },
    flex_layered: { type: 'flex', altText: '夜カフェ', contents: layered },
    sender: { type: 'text', text: '店長の木村です。', sender: { name: '店長 木村' } },
    quick: { type: 'text', text: 'どれになさいますか？', quickReply: { items: [
        { type: 'action', imageUrl: img('bean-small'), action: { type: 'message',
            label: 'ホット', text: 'ホットで' } },
        { type: 'action', action: { type: 'postback', label: 'アイス', data: 'ice',
            displayText: 'アイスで' } },
        { type: 'action', action: { type: 'datetimepicker', label: '時刻を選ぶ', data: 'time',
            mode: 'time', initial: '10:00' } },
        { type: 'action', action: { type: 'location', label: '現在地を送る' } } ] } },
};

// Nothing of these may ever be more than letters.
export const hostile = [
    '<script>window.ran=1</script>', '"><img src=x onerror=window.ran=1>',
    "'><svg onload=window.ran=1>", 'javascript:window.ran=1', '</textarea><b onclick=x>',
    '<iframe srcdoc="<script>parent.ran=1</script>">', '{{constructor}}', '__proto__',
    '&lt;script&gt;window.ran=1&lt;/script&gt;', '\u202Etxt.exe', '<style>*{display:none}</style>',
    '<a href="javascript:window.ran=1">x</a>', '<math><mi xlink:href="data:x,y">',
];
