package Tomo::Test::Files;

# The small files that an edge and a worker share: keys, the channel secret,
# the bot's user id, the API token and the sandbox clock. Made once per test,
# the same values in every test. Forms: docs/formats.md, sections 1 and 2.

use strict;
use warnings;

our $CHANNEL_SECRET = '0123456789abcdef0123456789abcdef';
our $BOT_USER_ID    = 'U' . '0' x 31 . '1';
our $API_TOKEN      = 'test-owner-token-0123456789abcdef';

my %CONTENT = (
    'edge.key'       => '1:' . 'e5' x 32 . "\n",
    'worker.key'     => '1:' . '3c' x 32 . "\n",
    'channel-id'     => "1234567890\n",
    'channel-secret' => "$CHANNEL_SECRET\n",
    'bot-user-id'    => "$BOT_USER_ID\n",
    'api-token'      => "$API_TOKEN\n",
    'clock'          => "\0" x 8,
);

# Path of one of them, written on first use.
sub path {
    my ($name) = @_;
    die "no such file: $name\n" if !exists $CONTENT{$name};
    my $path = Tomo::Test::temp_dir() . "/$name";
    Tomo::Test::write_file($path, $CONTENT{$name}, 0600) if !-e $path;
    return $path;
}

# The same files inside another folder, for a program that looks there.
sub link_into {
    my ($folder, @names) = @_;
    for my $name (@names) {
        symlink path($name), "$folder/$name" if !-l "$folder/$name";
    }
    return;
}

# Sets the sandbox clock file to an offset in ms, as the api role does.
sub set_clock {
    my ($offset_ms) = @_;
    open my $fh, '+<:raw', path('clock') or die "clock: $!\n";
    syswrite $fh, pack 'q<', $offset_ms;
    close $fh;
    return;
}

1;
