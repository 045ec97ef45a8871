package Tomo::Test::Webhook;

# What LINE would send: events, bodies and signatures.
#
#   my $body = webhook_body(follow_event($user), text_event($user, 'hello'));
#   my $r = send_webhook($edge, $body);

use strict;
use warnings;
use Digest::SHA ();
use Exporter 'import';
use JSON::PP ();
use MIME::Base64 ();
use Tomo::Test::Files ();

our @EXPORT = qw(
    user_id follow_event unfollow_event text_event postback_event event
    webhook_body sign send_webhook
);

my $NUMBER = 0;
my $JSON   = JSON::PP->new->canonical->utf8;
my $ULID   = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

# A LINE user id from a small number: the same every time.
sub user_id { return 'U' . substr Digest::SHA::sha256_hex("user $_[0]"), 0, 32 }

# A ULID of the time given in ms, unique in this process.
sub _ulid {
    my ($ms) = @_;
    my $text = '';
    for (1 .. 10) {
        $text = substr($ULID, $ms % 32, 1) . $text;
        $ms = int $ms / 32;
    }
    my $seed = Digest::SHA::sha256("$$ " . ++$NUMBER);
    $text .= substr $ULID, ord(substr $seed, $_, 1) % 32, 1 for 0 .. 15;
    return $text;
}

# event('follow', $user, %more): the common properties; %more replaces or adds,
# a value of undef leaves the property out.
sub event {
    my ($type, $user, %more) = @_;
    my $at = $more{timestamp} // Tomo::Test::now_ms();
    my %event = (
        type            => $type,
        mode            => 'active',
        timestamp       => $at,
        source          => { type => 'user', userId => $user },
        webhookEventId  => _ulid($at),
        deliveryContext => { isRedelivery => JSON::PP::false },
        %more,
    );
    delete $event{$_} for grep { !defined $event{$_} } keys %event;
    return \%event;
}

sub _token { return (replyToken => Digest::SHA::sha256_hex("token $$ " . ++$NUMBER)) }

sub follow_event {
    my ($user, %more) = @_;
    return event('follow', $user, _token(), follow => { isUnblocked => JSON::PP::false }, %more);
}

sub unfollow_event {
    my ($user, %more) = @_;
    return event('unfollow', $user, %more);
}

sub text_event {
    my ($user, $text, %more) = @_;
    my %message = (
        type       => 'text',
        id         => '' . (500_000_000_000_000_000 + ++$NUMBER),
        quoteToken => "quote$NUMBER",
        text       => $text,
    );
    return event('message', $user, _token(), message => \%message, %more);
}

sub postback_event {
    my ($user, $data, %more) = @_;
    return event('postback', $user, _token(), postback => { data => $data }, %more);
}

# The JSON body (bytes) of events.
sub webhook_body {
    my @events = @_;
    return $JSON->encode(
        { destination => $Tomo::Test::Files::BOT_USER_ID, events => \@events });
}

sub sign {
    my ($body, $secret) = @_;
    $secret //= $Tomo::Test::Files::CHANNEL_SECRET;
    return MIME::Base64::encode_base64(Digest::SHA::hmac_sha256($body, $secret), '');
}

# Posts a body as LINE does; account => 'demo', secret => … may be given.
sub send_webhook {
    my ($edge, $body, %o) = @_;
    my $account = $o{account} // 'demo';
    return Tomo::Test::Http::post(
        ref $edge ? $edge->port : $edge, "/line/webhook/$account", $body,
        'Content-Type'     => 'application/json; charset=utf-8',
        'User-Agent'       => 'LineBotWebhook/2.0',
        'x-line-signature' => sign($body, $o{secret}),
    );
}

1;
