package Tomo::Test::Token;

# Tokens as core/tomo_token.h describes them, made apart from its code, with
# the key of Tomo::Test::Files; and what an edge must know to follow them.
#
#   my $token = issue_token(kind => 'survey', target => 3, friend => 7);
#   put_feed($redis, 'survey/3' => $compiled);

use strict;
use warnings;
use Digest::SHA ();
use Exporter 'import';
use MIME::Base64 ();
use Tomo::Test::Files ();

our @EXPORT = qw(issue_token put_feed rec);

my %KIND = (link => 1, survey => 2);

# openssl's command line is the only AES at hand without a library.
sub _aes_block {
    my ($key, $block) = @_;
    my $path = Tomo::Test::temp_dir() . "/block.$$";
    Tomo::Test::write_file($path, $block);
    my $out = qx(openssl enc -aes-256-ecb -nopad -K @{[unpack 'H*', $key]} -in $path);
    die "openssl enc failed\n" if $? || length $out != 16;
    unlink $path;
    return $out;
}

# issue_token(kind, account (1), target, friend, delivery, day (today), check,
# master (32 bytes), key (id)): 39 characters.
sub issue_token {
    my (%t) = @_;
    my ($id, $hex) = Tomo::Test::read_file(Tomo::Test::Files::path('edge.key'))
        =~ /^(\d+):([0-9a-f]{64})/;
    my $master = $t{master} // pack 'H*', $hex;
    my $today  = int(Tomo::Test::now_ms() / 86_400_000) - 18_262;    # 2020-01-01
    my $bits   = join '', map { sprintf "%0$_->[0]b", $_->[1] } (
        [14, $t{account} // 1], [2, $KIND{ $t{kind} // 'link' }],
        [20, $t{target} // 1],  [30, $t{friend} // 0],
        [24, $t{delivery} // 0], [14, $t{day} // $today], [24, $t{check} // 0],
    );
    my $head = chr(0x10 | ($t{key} // $id))
        . _aes_block(Digest::SHA::hmac_sha256('token-block', $master), pack 'B128', $bits);
    my $mac = Digest::SHA::hmac_sha256('tomo-token' . $head,
        Digest::SHA::hmac_sha256('token-mac', $master));
    my $text = MIME::Base64::encode_base64($head . substr($mac, 0, 12), '');
    $text =~ tr{+/=}{-_}d;
    return $text;
}

# rec('survey', no => 3, title => 'x'): one line of tomo_rec, in the order given.
sub rec {
    my ($word, @list) = @_;
    my @fields;
    while (my ($name, $value) = splice @list, 0, 2) {
        utf8::encode($value) if utf8::is_utf8($value);
        $value =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
        push @fields, "$name=$value";
    }
    return ($word ne '' ? "$word " : '') . join('&', @fields) . "\n";
}

# Makes account `demo`, number 1, known to the edges of this Redis, with these
# fields of its feed; each call raises the version. undef removes a field.
sub put_feed {
    my ($redis, %fields) = @_;
    my $key = 'tomo:{demo}:feed';
    for my $name (sort keys %fields) {
        if (defined $fields{$name}) {
            $redis->cmd('HSET', $key, $name, $fields{$name});
        } else {
            $redis->cmd('HDEL', $key, $name);
        }
    }
    $redis->cmd('HSET', $key, 'number', 1);
    my $version = $redis->cmd('HINCRBY', $key, 'version', 1);
    $redis->cmd('SADD', 'tomo:accounts', 'demo');
    return $version;
}

1;
