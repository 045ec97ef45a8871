package Tomo::Test::DeadWriter;

# The folder of a writer that is dead, made from the layout in
# core/tomo_journal.h.
#
#   my $folder = dead_writer($edge, 0xaa, 'demo', 'shop');     one record each
#   my $folder = dead_segments($edge, 0xab,
#       { age => 7200, records => [['demo', $body], ...] }, { ... });

use strict;
use warnings;
use Exporter 'import';
use Tomo::Journal;
use Tomo::Test ();

our @EXPORT = qw(dead_writer dead_segments);

my $WEBHOOK = 1;    # of tomo_entry_kind_e
my $SIZE    = 2 * 1024 * 1024;

sub dead_writer {
    my ($edge, $writer, @accounts) = @_;
    return dead_segments($edge, $writer,
        { records => [ map { [ $_, sprintf '{"events":[],"w":%d}', $writer ] } @accounts ] });
}

# Segments, the oldest first: age in s, records as [account, body].
sub dead_segments {
    my ($edge, $writer, @segments) = @_;
    my $folder = sprintf '%s/%016x', $edge->journal, $writer;
    mkdir $folder, 0700;
    Tomo::Test::write_file("$folder/lock", '', 0600);
    my ($seq, $number) = (0, 0);
    for my $segment (@segments) {
        my $text = _head($writer, ++$number, $seq + 1);
        my $life = pack 'Q<2', $writer, $number;
        for my $record (@{ $segment->{records} }) {
            my ($account, $body) = @$record;
            my $payload = $account . $body;
            my $rest = pack('Q< q< C4 L<', ++$seq, Tomo::Test::now_ms(), $WEBHOOK, 0,
                length $account, 0, 1) . $payload;
            my $bytes = pack('L<2', length $payload, Tomo::Journal::crc32c($life . $rest)) . $rest;
            $text .= $bytes . "\0" x (-length($bytes) % 8);
        }
        my $file = sprintf '%s/%016x.seg', $folder, $number;
        Tomo::Test::write_file($file, $text, 0600);
        my $then = time - ($segment->{age} // 0);
        utime $then, $then, $file;
    }
    utime time - 60, time - 60, $folder;
    return $folder;
}

sub _head {
    my ($writer, $number, $first) = @_;
    my $head = pack 'a8 Q<3 q< L< x16', "TOMOJ1\r\n", $writer, $number, $first,
        Tomo::Test::now_ms(), $SIZE;
    return $head . pack 'L<', Tomo::Journal::crc32c($head);
}

1;
